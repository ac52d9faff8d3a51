package main

import (
	"context"
	"errors"

	"sluice/policy/papers/pdf"
)

// printed is a page as PDF; where none can be printed, the error says what to do instead.
func printed(ctx context.Context, v locale, page []byte) ([]byte, error) {
	raw, err := pdf.Print(ctx, page)
	var failed *pdf.Failed
	switch {
	case errors.Is(err, pdf.ErrNoBrowser):
		err = errors.New(v.Say("a PDF is printed by chromium or Google Chrome, and neither is on this machine; " +
			"install one, or write the page to a file that ends in .html and print it with any browser"))
	case errors.As(err, &failed):
		err = errors.New(v.Say("%s did not print the page; write it to a file that ends in .html and print it "+
			"with any browser", failed.Browser))
	}
	return raw, err
}
