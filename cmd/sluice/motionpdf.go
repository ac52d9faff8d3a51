package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// browsers print PDF with the headings and tables that a screen reader needs (tagged PDF, ISO
// 32000-2, section 14.8), which is why none of it is written here.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// printing bounds how long a browser takes for a paper.
const printing = time.Minute

// printed is a page as PDF, printed by a browser of this machine. The page must need nothing else.
func printed(ctx context.Context, v locale, page []byte) ([]byte, error) {
	browser := ""
	for _, name := range browsers {
		if found, err := exec.LookPath(name); err == nil {
			browser = found
			break
		}
	}
	if browser == "" {
		return nil, errors.New(v.Say("a PDF is printed by chromium or Google Chrome, and neither is on this machine; " +
			"install one, or write the page to a file that ends in .html and print it with any browser"))
	}
	dir, err := os.MkdirTemp("", "sluice-pdf-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	from, to := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.pdf")
	if err := os.WriteFile(from, page, 0o600); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, printing)
	defer cancel()
	args := []string{"--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--print-to-pdf=" + to}
	if os.Geteuid() == 0 { // it refuses to run as root with its sandbox, and the page is ours
		args = append(args, "--no-sandbox")
	}
	cmd := exec.CommandContext(ctx, browser, append(args, (&url.URL{Scheme: "file", Path: from}).String())...)
	cmd.WaitDelay = time.Second
	_ = cmd.Run() // what counts is whether there is a file
	raw, err := os.ReadFile(to)
	if err != nil {
		return nil, errors.New(v.Say("%s did not print the page; write it to a file that ends in .html and print it "+
			"with any browser", filepath.Base(browser)))
	}
	return raw, nil
}
