package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

// A damaged file can end whoever reads it: the database library panics, and a
// page of a mapped file that cannot be read is a fault. So files are proved in
// a process of their own, this program's hidden command prove, which prints
// what it found as JSON.

// proofOf is what prove prints.
type proofOf struct {
	api.CheckReply
	Copy api.Copy `json:"copy"`
}

func newProveCommand(g *global) *cobra.Command {
	var held, quick bool
	c := &cobra.Command{
		Use:    "prove FILE [flags]",
		Short:  "Read a whole store file and say what is wrong with it",
		Hidden: true,
		Long: `prove reads a store file that nobody writes, a backup say, and prints what is in it
and what is wrong with it as JSON. The other commands run it in a process of its
own, which a damaged file may end.`,
		Example: `  tickler prove backups/tickler-20261123T010000Z.db`,
		Args:    nArgs("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			g.proving = true
			p, err := proveFile(c.Context(), args[0], held, quick)
			if err != nil {
				return err
			}
			return writeJSON(g.stdout, p)
		},
	}
	c.Flags().BoolVar(&held, "store", false, "it is a store: hold its lock meanwhile")
	c.Flags().BoolVar(&quick, "quick", false, "only the pages and the records' checksums")
	exits(c, exitOK, exitFailed, exitUsage, exitNoStore, exitLocked)
	return c
}

// proveFile looks at the file's pages, then at its records.
func proveFile(ctx context.Context, file string, held, quick bool) (*proofOf, error) {
	check, open := bolt.CheckCopy, bolt.OpenCopy
	if held {
		check = bolt.Check
		open = func(path string) (*bolt.DB, error) {
			return bolt.Open(path, bolt.Options{Timeout: lockWait, ReadOnly: true})
		}
	}
	p := &proofOf{CheckReply: api.CheckReply{Problems: []string{}, Records: map[string]int{}}, Copy: api.Copy{File: file}}
	faults, err := check(ctx, file)
	if err != nil {
		return nil, coded(err)
	}
	for _, f := range faults {
		p.Problems = append(p.Problems, f.Error())
	}
	if len(faults) > 0 || quick {
		return p, nil // what cannot be trusted page by page is not read record by record
	}
	db, err := open(file)
	if err != nil {
		return nil, coded(err)
	}
	st := store.New(db)
	defer st.Close()
	if err := scheduler.CheckStore(ctx, st, &p.CheckReply); err != nil {
		return nil, coded(err)
	}
	if len(p.Problems) > 0 || held {
		return p, nil
	}
	err = st.View(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		p.Copy.Business = meta.BusinessDate
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		p.Problems = append(p.Problems, "it has no head record: nothing was ever kept in it")
		return p, nil
	}
	if err != nil {
		return nil, coded(err)
	}
	p.Copy.Audit = p.Audit
	p.Copy.Size, p.Copy.Digest, err = digestFile(file)
	return p, err
}

func digestFile(file string) (size int64, digest string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, "", fmt.Errorf("read %s: %w", file, err)
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return 0, "", fmt.Errorf("read %s: %w", file, err)
	}
	return size, "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// prove is a scheduler.Prover.
func (g *global) prove(ctx context.Context, file string) (*api.Copy, error) {
	p, err := proveElsewhere(ctx, file)
	if err != nil {
		return nil, err
	}
	if len(p.Problems) > 0 {
		return nil, &store.Damage{Reason: fmt.Sprintf("%s: %s", file, p.Problems[0])}
	}
	return &p.Copy, nil
}

// proveElsewhere runs prove in a process of its own. One that the file ended is
// a finding like any other.
func proveElsewhere(ctx context.Context, file string, flags ...string) (*proofOf, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("prove %s: %w", file, err)
	}
	c := exec.CommandContext(ctx, program)
	c.Args = append([]string{"tickler", "prove", "--config", os.DevNull, "--lang", "zh"}, flags...)
	c.Args = append(c.Args, "--", file)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		p := &proofOf{}
		if err := json.Unmarshal(out.Bytes(), p); err != nil {
			return nil, fmt.Errorf("prove %s: %w", file, err)
		}
		return p, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !errors.As(err, &exit):
		return nil, fmt.Errorf("prove %s: %w", file, err)
	}
	said := strings.TrimPrefix(strings.TrimSpace(errs.String()), "tickler: ")
	for code, status := range map[api.Code]int{api.NoStore: exitNoStore, api.Locked: exitLocked, api.Damaged: exitFindings, api.Failed: exitFailed} {
		if exit.ExitCode() == status {
			text, hint, _ := strings.Cut(said, "\nhint: ")
			return nil, api.Errorf(code, hint, "%s", text)
		}
	}
	if starved(exit, said) {
		return nil, api.Errorf(api.Failed, "look whether memory ran out, then try again", "%s: 校验进程被终止，未能得出结论 / the process that proved it was ended, and nothing is known of the file (%v)", file, exit)
	}
	p := &proofOf{}
	p.Problems = []string{fmt.Sprintf("%s: 读取时校验进程中断（%v），文件已损坏 / reading it ended the process that did: the file is damaged", file, exit)}
	return p, nil
}

// starved says that something else than the file ended the process that read
// it: a signal that a fault of the file does not give, or want of memory.
func starved(exit *exec.ExitError, said string) bool {
	if strings.Contains(said, "out of memory") || strings.Contains(said, "cannot allocate memory") {
		return true
	}
	how := exit.String()
	return exit.ExitCode() < 0 && !strings.Contains(how, "bus error") && !strings.Contains(how, "segmentation")
}
