package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"sluice/gateway/admin"
)

// shapes has the gateway look at how messages are built, and shows what it has found.
func (o *watchOptions) shapes(ctx context.Context, out, notes io.Writer, a *adminClient) error {
	if isTerminal(notes) {
		fmt.Fprintf(notes, "The gateway listens for %s; have the device send.\n", o.span)
	}
	seconds := strconv.Itoa(int(o.span / time.Second))
	raw, err := a.get(ctx, "/debug/structures?"+url.Values{"seconds": {seconds}}.Encode())
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	case o.asJSON:
		_, err := out.Write(raw)
		return err
	}
	var found admin.Structures
	if err := json.Unmarshal(raw, &found); err != nil {
		return unreachable(errors.New("the admin address answers something else than a gateway"))
	}
	for i := range found.Forms {
		printForm(out, &found.Forms[i])
	}
	switch {
	case len(found.Forms) == 0:
		fmt.Fprintf(out, "For %s nothing came that fits no sensor, or was refused for its shape.\n", o.span)
	case found.More:
		fmt.Fprintln(out, "There was more than is looked at in one minute; try again.")
	}
	return nil
}

func printForm(w io.Writer, f *admin.Form) {
	whose := fmt.Sprintf("A topic of %s that fits no sensor", counted(f.Levels, "level", "levels"))
	if f.Sensor != nil {
		whose = *f.Sensor
	}
	built := map[string]string{"json": "JSON", "cbor": "CBOR"}[f.Format]
	if built == "" {
		built = "neither JSON nor CBOR, or too long"
	}
	fmt.Fprintf(w, "%s, %s: %s\n", whose, f.Code, built)
	for _, v := range f.Values {
		pointer := v.Pointer
		if pointer == "" {
			pointer = "(the whole message)"
		}
		fmt.Fprintf(w, "  %-40s %s\n", pointer, v.Type)
	}
	if f.More {
		fmt.Fprintln(w, "  and more")
	}
}
