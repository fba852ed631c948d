package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler"
	"tickler/api"
	"tickler/rules"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

// initOptions say how a store begins.
type initOptions struct {
	GoLive dateFlag
	Branch string
}

func (o *initOptions) AddFlags(f *pflag.FlagSet) {
	f.Var(&o.GoLive, "go-live", "nothing due before this `DATE` is raised (default: today)")
	f.StringVar(&o.Branch, "branch", "", "the go-live date is of this branch only, by `ID`")
}

func newInitCommand(g *global) *cobra.Command {
	var o initOptions
	c := &cobra.Command{
		Use:   "init [flags]",
		Short: "Make the data directory and an empty store · 建库",
		Long: `init makes DIR: the database tickler.db, the rulebook rules.yaml to edit, its schema
for editors, config.yaml, and calendar/ for notices. Nothing due before the
go-live date is ever raised, so that the first import does not raise years of
past. Files that are there already are left alone; a store that is there already
is refused, unless --branch names a branch whose go-live date is to be set.`,
		Example: `  tickler init
  tickler init --data /var/lib/tickler --go-live 2026-12-01
  tickler init --branch B02 --go-live 2027-01-04`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runInit(c.Context(), g, o) },
	}
	o.AddFlags(c.Flags())
	exits(c, exitOK, exitFailed, exitUsage, exitLocked, exitInterrupted)
	return c
}

func runInit(ctx context.Context, g *global, o initOptions) error {
	init := scheduler.InitOptions{GoLive: o.GoLive.Date, Branch: o.Branch, OSUser: osUser(), Now: g.now(), Program: buildInfo().Version}
	if init.GoLive.IsZero() {
		init.GoLive = g.wallDay()
	}
	if _, err := os.Stat(g.storePath()); err == nil {
		if o.Branch == "" {
			return api.Errorf(api.Failed, `"tickler init --branch ID --go-live DATE" sets the date of one branch`, "there is a store in %q already", g.data)
		}
		if err := setGoLive(ctx, g, init); err != nil {
			return err
		}
		fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("机构 %s 的上线日：%s", o.Branch, init.GoLive), fmt.Sprintf("branch %s goes live on %s", o.Branch, init.GoLive)))
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make store: %w", err)
	}
	if c := g.newestGood(ctx); c != nil {
		return api.Errorf(api.Failed, fmt.Sprintf("bring it back with \"tickler%s restore %s\"; or, to begin anew, move the backups away", g.dataFlag(), c.File),
			"there is no store in %q, and a good backup of one (business date %s)", g.data, g.dayOrNone(c.Business))
	}
	if err := createStore(ctx, g, init); err != nil {
		return err
	}
	fmt.Fprintln(g.stderr, g.tr(
		fmt.Sprintf("已在 %s 建库，上线日 %s。\n下一步：tickler%s import 台账.xlsx", g.data, init.GoLive, g.dataFlag()),
		fmt.Sprintf("made a store in %s; it goes live on %s.\nNext: tickler%s import ledger.xlsx", g.data, init.GoLive, g.dataFlag())))
	return nil
}

// dataFlag is what a person has to type to come to this store again.
func (g *global) dataFlag() string {
	if g.data == defaultData || g.data == g.env["TICKLER_DATA"] {
		return ""
	}
	return " --data " + g.data
}

// createStore makes the directory with all that is in it. The head record is
// there when the database gets its name: one without it is none.
func createStore(ctx context.Context, g *global, o scheduler.InitOptions) error {
	if err := os.MkdirAll(filepath.Join(g.data, calendarDir), 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	for _, f := range []struct {
		name string
		text []byte
	}{
		{"rules.yaml", tickler.Rulebook},
		{"rules.schema.json", rules.Schema()},
		{"config.yaml", []byte(configText)},
	} {
		path := filepath.Join(g.data, f.name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := writeFile(path, f.text, 0o600); err != nil {
			return err
		}
	}
	err := bolt.CreateWith(g.storePath(), func(db *bolt.DB) error { return scheduler.Init(ctx, store.New(db), o) })
	if err != nil {
		return fmt.Errorf("make store: %w", err)
	}
	return nil
}

// setGoLive writes one branch's date into the head record.
func setGoLive(ctx context.Context, g *global, o scheduler.InitOptions) error {
	st, err := g.openStore(ctx, lockWait)
	if err != nil {
		return err
	}
	err = scheduler.Init(ctx, st, o)
	if closeErr := st.Close(); err == nil {
		err = closeErr
	}
	return err
}

func osUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
