package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/perm"
	"sluice/register"
	"sluice/register/access"
)

func aclCommand() *cobra.Command {
	var file, dir, user string
	c := &cobra.Command{
		Use:   "acl",
		Short: "Write password and access files for the broker from the register",
		Args:  between(0, 0),
		Long: "Writes DIR/passwords and DIR/acl, for mosquitto's password_file and acl_file; the gateway's own\n" +
			"listener also takes DIR/passwords. Existing passwords are kept. New ones are printed once; only\n" +
			"their hashes are stored. The gateway's password goes into DIR/gateway.password, for mqtt:\n" +
			"password_file. Sensors that have left the register are removed.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			reg, err := register.Load(file, os.ReadFile)
			if err != nil {
				return &config.Refusal{Err: err}
			}
			bar := progress(cmd.ErrOrStderr(), len(reg.Sensors), "making passwords")
			fresh, err := writeAccess(reg, dir, user, func(done int) { _ = bar.Set(done) }, func(list string) error {
				_ = bar.Finish()
				_, err := io.WriteString(cmd.OutOrStdout(), list)
				return err
			})
			if err != nil {
				return &config.Refusal{Err: err}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s, %s, shown this once; mosquitto and the gateway read the files "+
				"anew at SIGHUP\n",
				counted(len(reg.Sensors), "sensor", "sensors"), counted(fresh, "new password", "new passwords"))
			return nil
		},
	}
	c.Flags().StringVar(&file, "register", "register.yaml", "register of sensors: a file, or a directory of *.yaml "+
		"files")
	c.Flags().StringVar(&dir, "dir", ".", "directory to write the files to")
	c.Flags().StringVar(&user, "gateway", register.GatewayUser, "user name of the gateway")
	return c
}

// writeAccess writes the files, and returns how many sensors have new passwords. It prints these
// first, one id and password a line: afterwards only their hashes are kept.
func writeAccess(reg *register.Register, dir, user string, progress func(done int),
	show func(list string) error) (int, error) {
	path := filepath.Join(dir, "passwords")
	old, err := perm.Read(path, perm.Secret)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	passwords, err := access.ParsePasswords(path, old)
	if err != nil {
		return 0, err
	}
	if err := checkWritable(dir); err != nil {
		return 0, err
	}
	users := make(map[string]bool, len(reg.Sensors)+1)
	var fresh strings.Builder
	made := 0
	for n := range reg.Sensors {
		id := reg.Sensors[n].ID
		if id == user {
			return 0, fmt.Errorf("a sensor is called %s, as the gateway is; give the sensor another id, or the "+
				"gateway another user name with --gateway", user)
		}
		users[id] = true
		if passwords.Has(id) {
			continue
		}
		password, err := passwords.Make(id)
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(&fresh, "%s %s\n", id, password)
		if made++; made%100 == 0 {
			progress(n)
		}
	}
	if err := show(fresh.String()); err != nil {
		return 0, fmt.Errorf("the new passwords cannot be shown, so none was set: %w", err)
	}
	if users[user] = true; !passwords.Has(user) {
		password, err := passwords.Make(user)
		if err != nil {
			return 0, err
		}
		if err := perm.Replace(filepath.Join(dir, "gateway.password"), []byte(password+"\n"), 0o600); err != nil {
			return 0, err
		}
	}
	passwords.Retain(users)
	if err := perm.Replace(path, passwords.File(), 0o600); err != nil {
		return 0, err
	}
	return made, perm.Replace(filepath.Join(dir, "acl"), access.ACL(reg, user), 0o644)
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
