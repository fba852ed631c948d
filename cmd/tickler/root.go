package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// Main runs one command line and gives its exit status.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Under LANG=zh_CN the library would count “” and — double, and columns break.
	text.OverrideRuneWidthEastAsianWidth(false)
	cobra.EnableCommandSorting = false // ours are in the order of use
	out := &output{w: stdout}
	g := &global{stdin: stdin, stdout: out, stderr: stderr, env: map[string]string{}, now: time.Now}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		g.env[k] = v
	}
	root := newRootCommand(g)
	root.SetArgs(shieldNegatives(args))
	ran, err := g.execute(ctx, root)
	stop() // a second interrupt ends at once
	if err == nil {
		err = out.failure()
	}
	var u *usageError
	if errors.As(err, &u) && u.command == "" {
		u.command = ran.CommandPath()
	}
	code := g.finish(ctx, err)
	if log, ok := g.stderr.(*lossy); ok {
		log.Close()
	}
	return code
}

// grace is how long a command has to end by itself once it is interrupted.
const grace = 300 * time.Millisecond

// execute runs the command line. An interrupted command that does not look up
// is left behind: the process ends, and with it a transaction that is not
// committed, of which then nothing remains.
func (g *global) execute(ctx context.Context, root *cobra.Command) (ran *cobra.Command, err error) {
	ran = root
	type result struct {
		ran *cobra.Command
		err error
	}
	done := make(chan result, 1)
	go func() {
		ran, err := root.ExecuteContextC(ctx)
		done <- result{ran, err}
	}()
	select {
	case r := <-done:
		return r.ran, r.err
	case <-ctx.Done():
	}
	if g.patient.Load() {
		r := <-done
		return r.ran, r.err
	}
	select {
	case r := <-done:
		return r.ran, r.err
	case <-time.After(grace):
		return ran, context.Canceled
	}
}

// parseNoise is what strconv says before it says what is wrong.
var parseNoise = regexp.MustCompile(`strconv\.\w+: parsing "[^"]*": `)

var negative = regexp.MustCompile(`^-[0-9]+($|\s)`)

// shieldNegatives lets `calendar shift 2026-03-02 "-10 workday"` work without
// "--": a limit that begins with a minus is no flag.
func shieldNegatives(args []string) []string {
	c := slices.Index(args, "calendar")
	if c < 0 || !slices.Contains(args[c:], "shift") {
		return args
	}
	out := slices.Clone(args)
	for i, a := range out {
		if a == "--" {
			break
		}
		if i > c && negative.MatchString(a) {
			out[i] = " " + a
		}
	}
	return out
}

func newRootCommand(g *global) *cobra.Command {
	root := &cobra.Command{
		Use:   "tickler",
		Short: "Post-loan deadlines of a bank branch",
		Long: `tickler works out every post-loan obligation (贷后管理) of a branch from its loan
ledger, the rulebook and the working-day calendar, raises each when its time
comes, and keeps the proof of what was done, by whom, and in time or not.

Begin with "tickler demo": it needs nothing. For a branch of your own:
init, then import, then upcoming; "serve" keeps watch.`,
		Example: `  tickler demo
  tickler init --go-live 2026-11-23
  tickler import 借据台账.xlsx
  tickler upcoming --owner S007`,
		Args:              cobra.ArbitraryArgs,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.RunE = group(root)
	root.SetIn(g.stdin)
	root.SetOut(g.stdout)
	root.SetErr(g.stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{text: parseNoise.ReplaceAllString(err.Error(), ""), command: c.CommandPath()}
	})
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	g.AddFlags(root.PersistentFlags())
	root.AddGroup(
		&cobra.Group{ID: "day", Title: "Day to day:"},
		&cobra.Group{ID: "branch", Title: "The branch's facts and its daemon:"},
		&cobra.Group{ID: "books", Title: "Rulebook and calendar:"},
		&cobra.Group{ID: "other", Title: "More:"},
	)
	add := func(id string, cs ...*cobra.Command) {
		for _, c := range cs {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	add("day", newUpcomingCommand(g), newOverdueCommand(g), newTodayCommand(g), newShowCommand(g), newWhyCommand(g), newRecordCommand(g), newWithdrawCommand(g),
		newSubmitCommand(g), newSignCommand(g), newReturnCommand(g), newWaiveCommand(g), newReopenCommand(g), newReassignCommand(g), newSnoozeCommand(g))
	add("branch", newInitCommand(g), newImportCommand(g), newServeCommand(g), newTickCommand(g), newSimulateCommand(g), newOutboxCommand(g), newStatusCommand(g), newClockCommand(g), newCheckCommand(g), newBackupCommand(g), newRestoreCommand(g), newRebuildCommand(g), newAuditCommand(g), newReportCommand(g), newDumpCommand(g),
		newUserCommand(g), newDeputyCommand(g))
	add("books", newRulesCommand(g), newCalendarCommand(g))
	add("other", newDemoCommand(g), newVersionCommand(g), newCompletionCommand(root), newManCommand(g, root), newProveCommand(g))
	root.SetHelpCommandGroupID("other")
	root.InitDefaultHelpCmd()
	settle(g, root)
	return root
}

// group is the RunE of a command that only holds others.
func group(c *cobra.Command) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		hint := ""
		if s := c.SuggestionsFor(args[0]); len(s) > 0 {
			hint = fmt.Sprintf("; did you mean %q?", s[0])
		}
		return &usageError{text: fmt.Sprintf("unknown command %q%s", args[0], hint), command: c.CommandPath()}
	}
}

// settle gives every command what all of them share: the global flags resolved
// before it runs, mistakes of usage with their status, the statuses in help.
// It wraps RunE, since a child's PersistentPreRunE replaces its parent's.
func settle(g *global, c *cobra.Command) {
	c.DisableFlagsInUseLine = true
	c.Flags().SortFlags = false
	c.SuggestionsMinimumDistance = 2
	if c.Annotations["exit"] == "" {
		exits(c, plainExits...)
	}
	if args := c.Args; args != nil {
		c.Args = func(c *cobra.Command, a []string) error {
			if err := args(c, a); err != nil {
				return &usageError{text: err.Error(), command: c.CommandPath()}
			}
			return nil
		}
	}
	if run := c.RunE; run != nil && c.Name() != "help" && c.Name() != "completion" {
		c.RunE = func(c *cobra.Command, a []string) error {
			if err := g.resolve(); err != nil {
				return err
			}
			if g.output == "csv" && c.Flags().Changed("output") && !slices.Contains(rows, c.CommandPath()) {
				return &usageError{text: "-o csv: it prints no rows; want table or json", command: c.CommandPath()}
			}
			if g.output == "xlsx" && c.Flags().Changed("output") && !slices.Contains(workbooks, c.CommandPath()) {
				return &usageError{text: "-o xlsx: only the figures of report make workbooks; want table, json or csv", command: c.CommandPath()}
			}
			return run(c, a)
		}
	}
	for _, sub := range c.Commands() {
		settle(g, sub)
	}
}

// rows are the commands that print CSV. A script that asks another one for it
// is told so, instead of being given a table.
var rows = []string{"tickler upcoming", "tickler overdue", "tickler today", "tickler show", "tickler why", "tickler import", "tickler dump",
	"tickler calendar show", "tickler calendar diff", "tickler rules list", "tickler rules diff", "tickler rules history",
	"tickler report sample", "tickler check portfolio", "tickler simulate", "tickler outbox list", "tickler outbox show", "tickler audit export", "tickler audit show", "tickler user list",
	"tickler report ontime", "tickler report ageing", "tickler report coverage", "tickler report score"}

// workbooks are the commands that write XLSX.
var workbooks = []string{"tickler report ontime", "tickler report ageing", "tickler report coverage", "tickler report score"}

// exits notes a command's exit statuses for its help.
func exits(c *cobra.Command, codes ...int) {
	var b strings.Builder
	for _, n := range codes {
		fmt.Fprintf(&b, "  %-3d  %s\n", n, exitMeaning[n])
	}
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	c.Annotations["exit"] = strings.TrimRight(b.String(), "\n")
}

// noArgs refuses arguments in words.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}

// nArgs wants exactly these arguments.
func nArgs(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("want %s", strings.Join(names, " "))
		case len(args) > len(names):
			return fmt.Errorf("unexpected argument %q; want %s", args[len(names)], strings.Join(names, " "))
		}
		return nil
	}
}

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}`

const usageTemplate = `Usage:
  {{if .HasParent}}{{.UseLine}}{{else}}{{.CommandPath}} COMMAND [flags]{{end}}{{if and .HasParent .HasAvailableSubCommands}} COMMAND{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}{{end}}
{{- if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{if eq (len .Groups) 0}}

Commands:{{range $cmds}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{else}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

{{if .HasParent}}Flags:{{else}}Global flags:{{end}}
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
{{- if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
{{- with index .Annotations "exit"}}

Exit status:
{{.}}{{end}}
`
