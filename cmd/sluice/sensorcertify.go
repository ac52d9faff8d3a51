package main

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/certify"
	"sluice/certify/report"
	"sluice/configs/portalba"
	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/perm"
)

// certifyFlags are what is given on the command line, as it is given.
type certifyFlags struct {
	policy, pair, command, sign, out string
	preset, profile                  string
	o                                certify.Options
}

func certifyCommand() *cobra.Command {
	var f certifyFlags
	c := &cobra.Command{
		Use:   "certify --kind KIND --device NAME",
		Short: "Try a device as a gateway and a network would, and write a report",
		Args:  between(0, 0),
		Long: "Listens for one device with a real gateway of its own, says what to enter into the device, goes\n" +
			"through the checks of docs/certificate.md, says what to do for each, and writes DIR/report.json and\n" +
			"DIR/report.txt. With --sign the report is signed, into DIR/report.json.sig; where the key has a\n" +
			"passphrase, sign with ssh-keygen -Y sign -n " + report.Namespace + ". Nothing that the device\n" +
			"measures is shown or kept. With --device-command the device is a program and nobody has to do\n" +
			"anything. Exit codes: 0 nothing failed, 1 a check failed.",
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	g := c.Flags()
	g.StringVar(&f.o.Sensor.Kind, "kind", "", "kind of the device, of kinds.yaml (required)")
	g.StringVar(&f.o.Device, "device", "", "what the report calls the device: maker, model, firmware (required)")
	g.StringVar(&f.policy, "policy", "", "policy directory with kinds.yaml (default: the example city's)")
	g.StringVar(&f.o.Listen, "listen", "127.0.0.1:1883", "address where the device connects, e.g. 0.0.0.0:1883")
	g.StringVar(&f.pair, "tls", "", "listen with TLS, as CERT,KEY: two files in PEM")
	g.StringVar(&f.o.Sensor.ID, "sensor", "device", "id of the device, which is its user name and in its topics")
	g.StringVar(&f.o.Sensor.Owner, "owner", "vendor", "owner of the device, in its topics")
	g.StringVar(&f.preset, "preset", "", "system whose messages the device sends, or a preset's FILE.yaml (default: "+
		"the city's own format)")
	g.StringVar(&f.profile, "profile", "", "with --preset: model of the device, or a profile's FILE.yaml")
	g.StringVar(&f.o.Sensor.Device, "identity", "", "with --preset: what the system calls the device, as in its "+
		"topics (default: --sensor)")
	g.BoolVar(&f.o.Web, "websocket", false, "the device connects by WebSocket")
	g.DurationVar(&f.o.Outage, "outage", 2*time.Minute, "how long nobody answers, to see what the device keeps")
	g.DurationVar(&f.o.Patience, "patience", 5*time.Minute, "how long the device has for each thing that it must do")
	g.DurationVar(&f.o.Deadline, "deadline", time.Hour, "when the run ends, whatever was tried")
	g.StringVar(&f.command, "device-command", "", "a command of the shell that is the device; it is killed and "+
		"started again for a restart")
	g.StringVar(&f.sign, "sign", "", "SSH key that signs the report, without a passphrase")
	g.StringVar(&f.out, "out", ".", "directory to write the report to")
	c.AddCommand(certifyVerifyCommand())
	return c
}

// run tries the device and writes the report.
func (f *certifyFlags) run(cmd *cobra.Command) error {
	private, err := f.prepare()
	if err != nil {
		return err
	}
	out, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	f.o.Hand = certify.Person{Out: out}
	if f.command != "" {
		device := &certify.Command{Line: f.command, Err: stderr}
		defer device.Close()
		f.o.Hand = device
	}
	bar := progress(stderr, -1, "")
	f.o.Progress = func(text string) {
		bar.Describe(text)
		_ = bar.Add(1)
	}
	f.o.Show = func(c report.Check) {
		_ = bar.Clear()
		fmt.Fprint(out, c.Text())
	}
	f.o.Program = version()
	r, err := certify.Run(cmd.Context(), f.o)
	_ = bar.Finish()
	if cmd.Context().Err() != nil {
		return &exitError{exitFailed, "it was stopped before its end, so there is no report"}
	}
	if err != nil {
		return &config.Refusal{Err: err}
	}
	if err := f.write(r, private); err != nil {
		return &config.Refusal{Err: err}
	}
	fmt.Fprintf(out, "\nResult: %s; the report is %s\n", r.Result, filepath.Join(f.out, "report.json"))
	if r.Result == report.Fail {
		return &exitError{exitFailed, "a check failed; see above"}
	}
	return nil
}

// prepare reads what is named and refuses what would fail only at the end. It returns the key that signs, nil
// for none.
func (f *certifyFlags) prepare() (private []byte, err error) {
	switch o := &f.o; {
	case o.Sensor.Kind == "":
		return nil, &usageError{"which kind is it? give --kind KIND, of kinds.yaml"}
	case o.Device == "":
		return nil, &usageError{"what is it called? give --device \"MAKER MODEL, FIRMWARE\""}
	case o.Outage <= 0 || o.Patience <= 0 || o.Deadline <= 0:
		return nil, &usageError{"--outage, --patience and --deadline are durations such as 2m"}
	}
	if err := report.CheckDevice(f.o.Device); err != nil {
		return nil, &usageError{err.Error()}
	}
	f.o.File, f.o.Kinds = "the example city's kinds.yaml", portalba.Policy()["kinds.yaml"]
	if f.policy != "" {
		f.o.File = filepath.Join(f.policy, "kinds.yaml")
		if f.o.Kinds, err = os.ReadFile(f.o.File); err != nil {
			return nil, &config.Refusal{Err: err}
		}
	}
	if err := f.speaks(); err != nil {
		return nil, err
	}
	if f.pair != "" {
		own, err := readPair(f.pair)
		if err != nil {
			return nil, &config.Refusal{Err: fmt.Errorf("--tls CERT,KEY: %w", err)}
		}
		f.o.TLS = &own
	}
	if f.sign != "" {
		if private, err = perm.Read(f.sign, perm.Secret); err != nil {
			return nil, &config.Refusal{Err: fmt.Errorf("--sign: %w", err)}
		}
		if _, err := report.Sign(private, nil); err != nil {
			return nil, &config.Refusal{Err: fmt.Errorf("--sign: %w; a key with a passphrase signs with ssh-keygen -Y "+
				"sign -n %s -f KEY report.json", err, report.Namespace)}
		}
	}
	return private, f.room()
}

// speaks finds the preset and the profile, by name or in files.
func (f *certifyFlags) speaks() error {
	s := &f.o.Sensor
	if f.preset == "" {
		if f.profile != "" || s.Device != "" {
			return &usageError{"--profile and --identity go with --preset, which says what is around the values"}
		}
		return nil
	}
	s.Device, s.Files = cmp.Or(s.Device, s.ID), make(map[string][]byte)
	var of ingest.TrialOf
	if err := (&speech{f.preset, f.profile}).library(&of); err != nil {
		return err
	}
	s.Preset, s.Profile = of.Sensor.Preset, of.Sensor.Profile
	for _, file := range []string{f.preset, f.profile} {
		if filepath.Ext(file) != ".yaml" {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return &config.Refusal{Err: err}
		}
		s.Files[filepath.Base(file)] = raw
	}
	return nil
}

// readPair reads CERT,KEY: a certificate and its key, which nobody else may read.
func readPair(pair string) (tls.Certificate, error) {
	cert, key, _ := strings.Cut(pair, ",")
	public, err := os.ReadFile(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, err := perm.Read(key, perm.Secret)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(public, private)
}

// room reports whether the report can be written, before anybody waits for it.
func (f *certifyFlags) room() error {
	for _, name := range []string{"report.json", "report.json.sig", "report.txt"} {
		path := filepath.Join(f.out, name)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return &config.Refusal{Err: fmt.Errorf("%s is there already; move it, or name another directory "+
				"with --out", path)}
		}
	}
	probe, err := os.CreateTemp(f.out, ".report-*.part")
	if err != nil {
		return &config.Refusal{Err: fmt.Errorf("the report cannot be written: %w; name a directory with --out", err)}
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// write writes the report, its words, and its signature where there is a key.
func (f *certifyFlags) write(r *report.Report, private []byte) error {
	raw, err := r.File()
	if err != nil {
		return err
	}
	files := map[string][]byte{"report.json": raw, "report.txt": []byte(r.Text())}
	if private != nil {
		if files["report.json.sig"], err = report.Sign(private, raw); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(f.out, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
