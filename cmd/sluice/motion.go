package main

import "github.com/spf13/cobra"

func motionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "motion",
		Short: "Put a policy to the council's vote, count signatures, and enact it",
		Long: "The clerk makes a motion of the policy directory; members read motion.txt and sign it with OpenSSH's\n" +
			"ssh-keygen; the clerk collects their signatures and enacts the motion. Gateways verify everything\n" +
			"again.",
	}
	var dir string
	c.PersistentFlags().StringVar(&dir, "dir", ".", "policy directory; motions are in DIR/motions")
	c.PersistentFlags().String("lang", "", langUsage)
	return group(c, append(motionPapers(&dir), motionCreate(&dir), motionStatus(&dir), motionEnact(&dir),
		motionShow(&dir), motionSuspend(&dir), motionBallot(&dir), motionWithdraw(&dir))...)
}
