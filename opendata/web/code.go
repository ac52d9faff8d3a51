package web

import (
	"errors"
	"fmt"
	"html/template"
	stdcolor "image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// code is a QR code (ISO/IEC 18004) of level M as an SVG picture, with the quiet
// zone of four modules that the standard asks for.
func code(text, name string) (template.HTML, error) {
	c, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", errors.New("the address does not fit into a QR code")
	}
	const quiet = 4
	size := c.Bounds().Dx()
	var b strings.Builder
	fmt.Fprintf(&b,
		`<svg class="qr" viewBox="0 0 %[1]d %[1]d" role="img" aria-label="%[2]s" shape-rendering="crispEdges">`+
			`<path class="paper" d="M0 0h%[1]dv%[1]dH0z"/><path class="module" d="`,
		size+2*quiet, template.HTMLEscapeString(name))
	for y := range size {
		for x := range size {
			if gray, ok := stdcolor.GrayModel.Convert(c.At(x, y)).(stdcolor.Gray); ok && gray.Y < 128 {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()), nil //nolint:gosec // numbers, and a name that is escaped
}
