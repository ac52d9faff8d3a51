package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/cluster/member"
	"sluice/gateway/cluster/overview"
	"sluice/gateway/cluster/rollcall"
	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
)

// statusEvery is how often cluster status looks.
const statusEvery = 2 * time.Second

func clusterStatusCommand() *cobra.Command {
	var file string
	var once, asJSON bool
	c := &cobra.Command{
		Use:   "status -c FILE [--once]",
		Short: "Show a city's machines and partitions: who is there, who counts what, what waits",
		Args:  between(0, 0),
		Long: "On any machine of the city, also beside a gateway that runs: it asks the servers that the file's\n" +
			"section cluster names, with the credentials that are there, and changes nothing. BATCHES are what\n" +
			"fronts have handed over and is kept; BEHIND is for how long the owner has counted nothing of what\n" +
			"came; PARTS are the partition's sums of windows that wait for others. With one of three servers away\n" +
			"it shows all; with two it says that nothing can be known.\n\n" +
			"On a terminal it refreshes in place, elsewhere it looks once. Exit codes: 0 done, 3 the configuration\n" +
			"is refused, 4 no majority of the servers answers.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := readConfig(file)
			if err != nil {
				return err
			}
			if cfg.Cluster == nil {
				return config.Refuse("%s has no section cluster: this gateway is one process, which sluice doctor "+
					"looks at", file)
			}
			look := &clusterLook{cluster: cfg.Cluster, asJSON: asJSON}
			if look.roster, _, look.wrong = cfg.Cluster.Identity(cmd.Context()); look.wrong != nil {
				look.wrong = config.Refuse("cluster: %w", look.wrong)
				if !cfg.Cluster.Reaches() {
					return look.wrong
				}
			}
			return look.again(cmd.Context(), cmd.OutOrStdout(), !once && !asJSON && isTerminal(cmd.OutOrStdout()))
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file of the gateway")
	c.Flags().BoolVar(&once, "once", false, "look once, also on a terminal")
	c.Flags().BoolVar(&asJSON, "json", false, "print what is found as JSON, once")
	return c
}

// clusterLook looks at a city.
type clusterLook struct {
	cluster *member.Config
	roster  *roster.Roster // nil for none that is signed
	wrong   error          // what is wrong with this machine's own files
	asJSON  bool
}

// again looks once or, to show it in place, until ctx ends.
func (l *clusterLook) again(ctx context.Context, out io.Writer, inPlace bool) error {
	for {
		found := l.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if inPlace {
			fmt.Fprint(out, "\x1b[H\x1b[2J")
		}
		if err := l.print(out, found); err != nil {
			return err
		}
		switch {
		case !inPlace && !found.Majority && l.wrong != nil:
			return config.Refuse("%w; and %s", l.wrong, found.Problem)
		case !inPlace && !found.Majority:
			return unreachable(errors.New(found.Problem))
		case !inPlace:
			return l.wrong
		case !found.Majority:
			fmt.Fprintln(out, "\n"+found.Problem)
		}
		if l.wrong != nil {
			fmt.Fprintln(out, "\n"+l.wrong.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(statusEvery):
		}
	}
}

// clusterFound is what cluster status shows.
type clusterFound struct {
	Servers struct {
		Named int      `json:"named"`
		Up    int      `json:"up"`
		Away  []string `json:"away"`
	} `json:"servers"`
	overview.City
	// Said is what machines say of themselves. It needs no majority of the servers.
	Said []rollcall.Said `json:"said"`
}

func (l *clusterLook) look(ctx context.Context) (found clusterFound) {
	knocked := l.cluster.Knock(ctx)
	found.Servers.Named, found.Servers.Up = len(l.cluster.NATS), knocked.Up
	found.Servers.Away = append([]string{}, knocked.Away...)
	found.Said = []rollcall.Said{}
	for _, f := range knocked.Findings {
		found.Servers.Away = append(found.Servers.Away, f.Of+" ("+f.What+")")
	}
	conn, err := l.cluster.Dial(ctx)
	if err != nil {
		found.City = overview.Unknown("no server lets this machine in: " + err.Error())
		return found
	}
	defer conn.Close()
	if found.Said, err = rollcall.Call(ctx, conn); err != nil {
		found.Said = []rollcall.Said{} // what is wrong is said of the city
	}
	found.City = overview.Of(ctx, conn, l.roster, l.cluster.Partitions)
	return found
}

func (l *clusterLook) print(out io.Writer, found clusterFound) error {
	if l.asJSON {
		return printJSON(out, found)
	}
	fmt.Fprintf(out, "%d of %d servers answer", found.Servers.Up, found.Servers.Named)
	for i, away := range found.Servers.Away {
		fmt.Fprintf(out, "%s%s", []string{"; away: ", ", "}[min(i, 1)], away)
	}
	fmt.Fprint(out, ".\n")
	if !found.Majority {
		showSaid(out, found.Said, time.Now()) // the error says the rest
		return nil
	}
	if found.Halted != "" {
		fmt.Fprintln(out, "\nNothing is released: "+found.Halted+".")
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nMEMBER\tROLES\tTHERE\tOWNS")
	for _, m := range found.Members {
		there := "no"
		if m.There {
			there = "yes"
		}
		if m.Name == found.Releaser {
			there += ", releases"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", m.Name, roleWords(roster.Member{Roles: m.Roles}), there, spans(m.Owns))
	}
	fmt.Fprintln(t, "\nPARTITION\tOWNER\tBATCHES\tBEHIND\tPARTS")
	for _, p := range found.Partitions {
		owner := p.Owner
		if owner == "" {
			owner = "nobody"
		}
		fmt.Fprintf(t, "%d\t%s\t%d\t%s\t%d\n", p.N, owner, p.Batches,
			time.Duration(p.Behind*float64(time.Second)).Round(time.Second), p.Parts)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(found.Out) > 0 {
		fmt.Fprintf(out, "\nServer %s keeps nothing of what is written: it is away, or has switched JetStream off "+
			"since its disk is full.\n  See its log, and sluice doctor. With one more nothing is acknowledged.\n",
			strings.Join(found.Out, ", "))
	}
	if found.Releaser == "" {
		fmt.Fprintln(out, "\nNobody releases: windows that are whole wait until a releaser is there.")
	}
	if len(found.Missing) > 0 {
		fmt.Fprintf(out, "\nClosed windows wait for partitions %s.\n", spans(found.Missing))
	}
	showSaid(out, found.Said, time.Now())
	return nil
}

// skewed is how far a machine's clock may be from ours before it is said: its answer takes a moment, too.
const skewed = 5 * time.Second

// showSaid shows what machines say of themselves that is not as it should be.
func showSaid(out io.Writer, list []rollcall.Said, now time.Time) {
	twins := rollcall.Twins(list)
	for _, name := range slices.Sorted(maps.Keys(twins)) {
		fmt.Fprintf(out, "\n%s is the name of several processes, and each takes the others' work away:\n", name)
		for _, s := range twins[name] {
			fmt.Fprintf(out, "  on %s, since %s\n", s.Host, s.Since.UTC().Format(time.RFC3339))
		}
		fmt.Fprintln(out, "  Stop all but one, or give each a name and a key of its own: sluice cluster member new.")
	}
	for _, s := range list {
		if apart := s.Now.Sub(now); apart.Abs() > skewed {
			fmt.Fprintf(out, "\n%s: its clock is %s from this machine's; see chrony or systemd-timesyncd on both.\n",
				s.Name, apart.Round(time.Second))
		}
		for _, p := range s.Problems {
			fmt.Fprintf(out, "\n%s: %s, since %s: %s\n", s.Name, p.Part, p.Since.UTC().Format(time.RFC3339),
				p.Hint)
		}
		for _, w := range s.Waits {
			fmt.Fprintf(out, "\n%s: windows wait for %s since %s: %s.\n", s.Name, w.For,
				w.Since.UTC().Format(time.RFC3339), w.Why)
		}
	}
}

// spans are numbers in short: 0-15, 20.
func spans(list []int) string {
	if len(list) == 0 {
		return "-"
	}
	var words []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		word := strconv.Itoa(list[i])
		if j > i {
			word += "-" + strconv.Itoa(list[j])
		}
		words, i = append(words, word), j+1
	}
	return strings.Join(words, ", ")
}
