package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/perm"
	"sluice/register"
	"sluice/register/access"
)

func aclCommand() *cobra.Command {
	var file string
	var a acl
	c := &cobra.Command{
		Use:   "acl",
		Short: "Write password and access files for the broker from the register",
		Args:  between(0, 0),
		Long: "Writes DIR/passwords and DIR/acl, for mosquitto's password_file and acl_file; the gateway's own\n" +
			"listener also takes DIR/passwords. Existing passwords are kept. New ones are printed once; only\n" +
			"their hashes are stored. The gateway's password goes into DIR/gateway.password, for mqtt:\n" +
			"password_file. Who has left the register is removed, and named; where that would be more than half,\n" +
			"nothing is written without --remove. --renew gives somebody a new password.\n" +
			"--for emqx writes DIR/emqx-users.csv, to be imported, and DIR/emqx-acl.conf instead of DIR/acl.\n" +
			"--certs makes no passwords, for brokers to which clients show certificates (sensor cert).",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.broker != "mosquitto" && a.broker != "emqx" {
				return &usageError{"--for is mosquitto or emqx"}
			}
			reg, err := register.Load(file, os.ReadFile)
			if err != nil {
				return &config.Refusal{Err: err}
			}
			a.reg, a.out, a.errors = reg, cmd.OutOrStdout(), cmd.ErrOrStderr()
			return refused(a.write())
		},
	}
	c.Flags().StringVar(&file, "register", "register.yaml", "register of sensors: a file, or a directory of *.yaml "+
		"files")
	c.Flags().StringVar(&a.dir, "dir", ".", "directory to write the files to")
	c.Flags().StringVar(&a.user, "gateway", register.GatewayUser, "user name of the gateway")
	c.Flags().StringVar(&a.broker, "for", "mosquitto", "the broker: mosquitto or emqx")
	c.Flags().StringSliceVar(&a.renewed, "renew", nil, "user to whom to give a new password in place of the old one; "+
		"may be repeated")
	c.Flags().BoolVar(&a.remove, "remove", false, "remove who has left the register even if that is more than half")
	c.Flags().BoolVar(&a.certs, "certs", false, "write the access list alone: clients show certificates")
	return c
}

// acl is what a register's sensors may do, as a broker's files say it.
type acl struct {
	reg               *register.Register
	dir, user, broker string
	certs, remove     bool
	renewed           []string
	out, errors       io.Writer
}

// write writes the files.
func (a *acl) write() error {
	if slices.Contains(a.reg.Users(), a.user) {
		return fmt.Errorf("a sensor is called %s, as the gateway is; give the sensor another id, or the gateway "+
			"another user name with --gateway", a.user)
	}
	if err := checkWritable(a.dir); err != nil {
		return err
	}
	return alone(a.dir, func() error {
		if !a.certs {
			if err := a.writePasswords(); err != nil {
				return err
			}
		}
		name, list := "acl", access.ACL
		if a.broker == "emqx" {
			name, list = "emqx-acl.conf", access.ACLForEMQX
		}
		if err := perm.Replace(filepath.Join(a.dir, name), list(a.reg, a.user), 0o644); err != nil {
			return err
		}
		if a.certs {
			fmt.Fprintf(a.errors, "%s, who show certificates; give one to the gateway as well: sluice sensor cert "+
				"issue DIR %s\n", counted(len(a.reg.Sensors), "sensor", "sensors"), a.user)
		}
		return nil
	})
}

// writePasswords makes the passwords that are missing. It prints these first, one id and password a
// line: afterwards only their hashes are kept.
func (a *acl) writePasswords() error {
	path := filepath.Join(a.dir, "passwords")
	old, err := perm.Read(path, perm.Secret)
	if errors.Is(err, fs.ErrNotExist) {
		err = a.beginAnew(path)
	}
	if err != nil {
		return err
	}
	passwords, err := access.ParsePasswords(path, old)
	if err != nil {
		return err
	}
	missing, gone, err := a.compare(passwords)
	if err != nil {
		return err
	}
	if a.broker == "emqx" {
		if _, others := passwords.EMQX(); len(others) > 0 {
			return fmt.Errorf("%s: %s, and EMQX takes none of its form; take the line out of the file, and the "+
				"user gets a new password: %s", path, counted(len(others), "hash was made before or elsewhere",
				"hashes were made before or elsewhere"), first(others))
		}
	}
	if err := a.make(passwords, missing); err != nil {
		return err
	}
	if err := perm.Replace(path, passwords.File(), 0o600); err != nil {
		if len(missing) > 0 {
			return fmt.Errorf("none of the new passwords was set, whatever was shown: %w", err)
		}
		return err
	}
	if a.broker == "emqx" {
		raw, _ := passwords.EMQX()
		if err := perm.Replace(filepath.Join(a.dir, "emqx-users.csv"), raw, 0o600); err != nil {
			return err
		}
	}
	a.say(missing, gone)
	return nil
}

// compare returns who needs a new password, and who has left and was removed.
func (a *acl) compare(passwords *access.Passwords) (missing, gone []string, err error) {
	users := map[string]bool{a.user: true}
	for _, id := range a.reg.Users() {
		if users[id] = true; !passwords.Has(id) || slices.Contains(a.renewed, id) {
			missing = append(missing, id)
		}
	}
	for _, id := range a.renewed {
		if !users[id] || id == a.user {
			return nil, nil, fmt.Errorf("--renew %s: there is no such user in the register", id)
		}
	}
	had := passwords.Number()
	if gone = passwords.Retain(users); len(gone) >= fewGone && 2*len(gone) > had && !a.remove {
		return nil, nil, fmt.Errorf("%d of %d users are not in the register any more: %s; their passwords would be "+
			"gone for good, so nothing was written; put the register back, or, if it is whole, run this again with "+
			"--remove", len(gone), had, first(gone))
	}
	return missing, gone, nil
}

// say tells what has become of users.
func (a *acl) say(missing, gone []string) {
	again := "mosquitto and the gateway read the files anew at SIGHUP"
	if a.broker == "emqx" {
		again = "EMQX has to import emqx-users.csv, and forgets nobody by itself"
		if len(gone) > 0 {
			again += "; delete there: " + first(gone)
		}
	}
	fresh := "no new password"
	if len(missing) > 0 {
		fresh = counted(len(missing), "new password", "new passwords") + ", shown this once"
	}
	fmt.Fprintf(a.errors, "%s, %s; %s\n", counted(len(a.reg.Sensors), "sensor", "sensors"), fresh, again)
	if len(gone) > 0 {
		fmt.Fprintf(a.errors, "removed, since the register does not have them: %s\n", first(gone))
	}
}

// beginAnew allows passwords for everybody where there were none before.
func (a *acl) beginAnew(path string) error {
	name := filepath.Join(a.dir, "acl")
	if a.broker == "emqx" {
		name = filepath.Join(a.dir, "emqx-acl.conf")
	}
	raw, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(raw), strings.TrimPrefix(access.Made, "# ")) {
		return nil
	}
	return fmt.Errorf("%s is not there, and %s is: everybody would get a new password; put it back, or remove %[2]s "+
		"too to begin anew", path, name)
}

// make makes passwords for sensors, shows them, and makes the gateway's.
func (a *acl) make(passwords *access.Passwords, missing []string) error {
	bar := progress(a.errors, len(missing), "making passwords")
	made, err := passwords.Make(missing, func(done int) { _ = bar.Set(done) })
	_ = bar.Finish()
	if err != nil {
		return err
	}
	var fresh strings.Builder
	for n, id := range missing {
		fmt.Fprintf(&fresh, "%s %s\n", id, made[n])
	}
	if _, err := io.WriteString(a.out, fresh.String()); err != nil {
		return fmt.Errorf("the new passwords cannot be shown, so none was set: %w", err)
	}
	if passwords.Has(a.user) {
		return nil
	}
	own, err := passwords.Make([]string{a.user}, func(int) {})
	if err != nil {
		return err
	}
	return perm.Replace(filepath.Join(a.dir, "gateway.password"), []byte(own[0]+"\n"), 0o600)
}

// checkWritable returns an error if files cannot be written to a directory: a password that is
// shown but not stored would be of no use.
func checkWritable(dir string) error {
	f, err := os.CreateTemp(dir, ".acl-*.part")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the directory %s is not there, so no password was made; mkdir -p %[1]s", dir)
	case err != nil:
		return fmt.Errorf("no password was made, since nothing can be written to %s: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
