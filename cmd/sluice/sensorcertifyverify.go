package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/certify/report"
	"sluice/gateway/config"
	"sluice/policy/ballot"
	"sluice/policy/ballot/signers"
)

func certifyVerifyCommand() *cobra.Command {
	var allowed string
	var without []string
	c := &cobra.Command{
		Use:   "verify REPORT --signers FILE",
		Short: "Say who signed a report, and whether the device passed",
		Args:  between(1, 1),
		Long: "Reads REPORT and REPORT.sig, and FILE, which lists who may sign as allowed_signers of\n" +
			"ssh-keygen(1) does. It ends with 0 only if one of them signed just this report and each check passed.\n" +
			"A check of --without may also be one that was not tried.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return verifyReport(cmd.OutOrStdout(), args[0], allowed, without)
		},
	}
	c.Flags().StringVar(&allowed, "signers", "", "who may sign: NAME and an SSH public key a line (required)")
	c.Flags().StringSliceVar(&without, "without", nil, "checks that may be untried, e.g. tls")
	return c
}

func verifyReport(out io.Writer, path, allowed string, without []string) error {
	if allowed == "" {
		return &usageError{"who may sign? give --signers FILE"}
	}
	for _, name := range without {
		if !slices.Contains(report.Checks, name) {
			return &usageError{fmt.Sprintf("--without: %q is no check; they are %s",
				name, strings.Join(report.Checks, ", "))}
		}
	}
	text, err := readAtMost(allowed, signers.Max)
	if err != nil {
		return &config.Refusal{Err: err}
	}
	list, err := signers.Parse(allowed, text)
	if err != nil {
		return &config.Refusal{Err: err}
	}
	raw, err := readAtMost(path, report.MaxFile)
	if err != nil {
		return &config.Refusal{Err: err}
	}
	signature, err := readAtMost(path+".sig", ballot.MaxFile)
	if err != nil {
		return &exitError{exitFailed, fmt.Sprintf("there is no signature: %v; ask for report.json.sig", err)}
	}
	by, err := report.Verify(raw, signature, list)
	if err != nil {
		return &exitError{exitFailed, fmt.Sprintf("%s: %v", path, err)}
	}
	r, err := report.Parse(raw)
	if err != nil {
		return &exitError{exitFailed, fmt.Sprintf("%s: %v", path, err)}
	}
	fmt.Fprintf(out, "%s\nSigned by %s\n", r.Text(), by.Name)
	if lacks := r.Lacks(without); len(lacks) > 0 {
		return &exitError{exitFailed, "it did not pass: " + strings.Join(lacks, ", ")}
	}
	return nil
}

// readAtMost reads a file that somebody sent: no more than a byte beyond its bound, which whoever parses
// it refuses.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most+1))
}
