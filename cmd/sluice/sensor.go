package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sluice/gateway"
	"sluice/perm"
	"sluice/register"
	"sluice/register/access"
)

func sensorCommand() *cobra.Command {
	c := &cobra.Command{Use: "sensor", Short: "For vendors and the register's keeper"}
	c.AddCommand(aclCommand())
	return c
}

func aclCommand() *cobra.Command {
	var file, dir, user string
	c := &cobra.Command{
		Use: "acl", Short: "Write the broker's password and access files from the register", Args: cobra.NoArgs,
		Long: "Writes DIR/passwords and DIR/acl, for mosquitto's password_file and acl_file; the gateway's own listener takes\n" +
			"DIR/passwords too. Who has a password keeps it; new ones are printed, once, and only their hashes are kept.\n" +
			"The gateway's own goes into DIR/gateway.password, for mqtt: password_file. Who is no longer in the register\n" +
			"is taken out.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			raw, err := os.ReadFile(file)
			if err != nil {
				return &gateway.Refusal{Err: fmt.Errorf("register: %w", err)}
			}
			reg, err := register.Parse(file, raw)
			if err != nil {
				return &gateway.Refusal{Err: err}
			}
			fresh, err := writeAccess(reg, dir, user)
			if err != nil {
				return &gateway.Refusal{Err: err}
			}
			for _, f := range fresh {
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", f[0], f[1])
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d sensors, %d new passwords, shown this once; tell the broker with SIGHUP\n", len(reg.Sensors), len(fresh))
			return nil
		},
	}
	c.Flags().StringVar(&file, "register", "register.yaml", "register of sensors")
	c.Flags().StringVar(&dir, "dir", ".", "directory of the files")
	c.Flags().StringVar(&user, "gateway", "gateway", "user name of the gateway")
	return c
}

// writeAccess writes the files and returns the new users with their passwords.
func writeAccess(reg *register.Register, dir, user string) ([][2]string, error) {
	path := filepath.Join(dir, "passwords")
	old, err := perm.Read(path, perm.Secret)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	passwords, err := access.ParsePasswords(path, old)
	if err != nil {
		return nil, err
	}
	users := []string{user}
	var fresh [][2]string
	for _, s := range reg.Sensors {
		if s.ID == user {
			return nil, fmt.Errorf("a sensor is called %s; give the gateway another user name with --gateway", user)
		}
		users = append(users, s.ID)
		if passwords.Has(s.ID) {
			continue
		}
		password, err := passwords.Make(s.ID)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, [2]string{s.ID, password})
	}
	if !passwords.Has(user) {
		password, err := passwords.Make(user)
		if err != nil {
			return nil, err
		}
		if err := perm.Replace(filepath.Join(dir, "gateway.password"), []byte(password+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	passwords.Retain(users)
	if err := perm.Replace(path, passwords.File(), 0o600); err != nil {
		return nil, err
	}
	return fresh, perm.Replace(filepath.Join(dir, "acl"), access.ACL(reg, user), 0o644)
}
