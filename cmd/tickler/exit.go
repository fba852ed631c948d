package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tickler/api"
	"tickler/store"
)

// The exit statuses. Scripts rely on them; they are decided here and nowhere
// else.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitFindings    = 3
	exitPartly      = 4
	exitChanges     = 5
	exitNoStore     = 10
	exitLocked      = 11
	exitNotAllowed  = 12
	exitInterrupted = 130
)

// statusOf maps the kind of an error to the exit status.
var statusOf = map[api.Code]int{
	api.Failed:      exitFailed,
	api.Usage:       exitUsage,
	api.NotFound:    exitFailed,
	api.Findings:    exitFindings,
	api.NoStore:     exitNoStore,
	api.Locked:      exitLocked,
	api.NotAllowed:  exitNotAllowed,
	api.BadFile:     exitFailed,
	api.Unknown:     exitFailed,
	api.NoSpace:     exitFailed,
	api.Damaged:     exitFindings,
	api.Interrupted: exitInterrupted,
	api.Busy:        exitFailed,
	api.TooLarge:    exitFailed,
}

// exitMeaning says in help what a status means.
var exitMeaning = map[int]string{
	exitOK:          "done",
	exitFailed:      "failed",
	exitUsage:       "wrong usage",
	exitFindings:    "findings, or the store is damaged",
	exitPartly:      "partly delivered",
	exitChanges:     "changes would happen",
	exitNoStore:     `no store in the data directory: run "tickler init"`,
	exitLocked:      "another process holds the store",
	exitNotAllowed:  "not allowed",
	exitInterrupted: "interrupted",
}

// storeExits are the statuses of every command that needs the store.
var storeExits = []int{exitOK, exitFailed, exitUsage, exitFindings, exitNoStore, exitLocked, exitNotAllowed, exitInterrupted}

// plainExits are those of the commands that never touch it.
var plainExits = []int{exitOK, exitFailed, exitUsage}

// status ends a command with an exit status when all there is to say has been
// said.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// usageError is a command line that makes no sense.
type usageError struct {
	text    string
	command string // whose help to read
}

func (e *usageError) Error() string { return e.text }

// usagef makes a usageError; Main adds the command.
func usagef(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

// coded gives an error of the store its code and the next step.
func coded(err error) error {
	var already *api.Error
	switch {
	case err == nil || errors.As(err, &already):
		return err
	case errors.Is(err, store.ErrEmpty):
		return api.Errorf(api.NoStore, `restore the newest good backup; where nothing was ever in it, remove the file and run "tickler init"`, "%v", err)
	case errors.Is(err, store.ErrNoStore):
		return api.Errorf(api.NoStore, `run "tickler init", or name the directory with --data`, "%v", err)
	case errors.Is(err, store.ErrLocked):
		return api.Errorf(api.Locked, `another process holds the store; wait for it, or run "tickler status" to see the daemon`, "%v", err)
	case errors.Is(err, store.ErrOutcomeUnknown):
		return api.Errorf(api.Unknown, `look, and do again what is missing; look after the disk`, "%v", err)
	case errors.Is(err, store.ErrNoSpace):
		return api.Errorf(api.NoSpace, `free some space where the data directory is, then do it again`, "%v", err)
	case errors.Is(err, store.ErrNewer):
		return api.Errorf(api.Failed, `install that version or a later one; or, to go back, put the copy from before the migration (tickler.db.schema…) in its place: what was done since is not in it`, "%v", err)
	case errors.Is(err, store.ErrCorrupt):
		return api.Errorf(api.Damaged, `run "tickler check", and restore the newest good backup`, "%v", err)
	}
	return err
}

// finish says what went wrong, once, and gives the exit status.
func (g *global) finish(ctx context.Context, err error) int {
	var s status
	var u *usageError
	err = coded(err)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &s):
		return int(s)
	case errors.As(err, &u):
		fmt.Fprintf(g.stderr, "tickler: %s\nhint: run \"%s --help\"\n", oneLine(u.text), u.command)
		return exitUsage
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || api.CodeOf(err) == api.Interrupted):
		fmt.Fprintln(g.stderr, "tickler: "+g.tr("已中断", "interrupted"))
		return exitInterrupted
	}
	fmt.Fprintf(g.stderr, "tickler: %s\n", strings.TrimRight(err.Error(), "\n"))
	if code := api.CodeOf(err); code == api.Damaged || code == api.NoStore {
		if g.wayBack(context.WithoutCancel(ctx)) { // ctx has ended by now
			return exitFindings
		}
	}
	return statusOf[api.CodeOf(err)]
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
