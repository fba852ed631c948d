// Command pebble keeps obligations in a store of pebble's.
//
//	pebble fill DIR ROWS               writes a new store of the lines of a file
//	pebble write DIR ROWS              writes a hundredth of them again and again, until it is killed
//	pebble list DIR BRANCH FROM TO     opens the store and prints what is open of a branch, by due day
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/cockroachdb/pebble/v2"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "fill":
		return fill(args[1], args[2])
	case len(args) == 3 && args[0] == "write":
		return write(args[1], args[2])
	case len(args) == 5 && args[0] == "list":
		return list(args[1], args[2], args[3], args[4])
	}
	return errors.New("usage: pebble fill DIR ROWS | write DIR ROWS | list DIR BRANCH FROM TO")
}

// A line has ten cells with tabs between. It is kept three times:
//
//	i ID                 -> line
//	d BRANCH 0 DUE 0 ID  -> line, so that a list needs no second look-up
//	r RAISE 0 ID         -> nothing
func put(b *pebble.Batch, line []byte) error {
	cell := bytes.Split(line, []byte("\t"))
	id, branch, raise, due := cell[0], cell[5], cell[7], cell[8]
	return errors.Join(
		b.Set(append([]byte("i"), id...), line, nil),
		b.Set(append([]byte("d"), bytes.Join([][]byte{branch, due, id}, []byte{0})...), line, nil),
		b.Set(append([]byte("r"), bytes.Join([][]byte{raise, id}, []byte{0})...), nil, nil))
}

const linesABatch = 1000

// putAll writes every step-th line in batches, each synced or only the last.
func putAll(db *pebble.DB, rows string, step int, each *pebble.WriteOptions) error {
	f, err := os.Open(rows)
	if err != nil {
		return err
	}
	defer f.Close()
	b := db.NewBatch()
	lines := bufio.NewScanner(f)
	for i := 0; lines.Scan(); i++ {
		if i%step != 0 {
			continue
		}
		if err := put(b, lines.Bytes()); err != nil {
			return err
		}
		if b.Count() >= 3*linesABatch {
			if err := b.Commit(each); err != nil {
				return err
			}
			b = db.NewBatch()
		}
	}
	return errors.Join(lines.Err(), b.Commit(pebble.Sync))
}

func fill(dir, rows string) error {
	db, err := pebble.Open(dir, &pebble.Options{ErrorIfExists: true, Logger: quiet{}})
	if err != nil {
		return err
	}
	return errors.Join(putAll(db, rows, 1, pebble.NoSync), db.Flush(), db.Close())
}

func write(dir, rows string) error {
	db, err := pebble.Open(dir, &pebble.Options{ErrorIfNotExists: true, Logger: quiet{}})
	if err != nil {
		return err
	}
	for {
		if err := putAll(db, rows, 100, pebble.Sync); err != nil {
			return errors.Join(err, db.Close())
		}
	}
}

func list(dir, branch, from, to string) error {
	db, err := pebble.Open(dir, &pebble.Options{ErrorIfNotExists: true, Logger: quiet{}})
	if err != nil {
		return err
	}
	key := func(day, end string) []byte { return []byte("d" + branch + "\x00" + day + end) }
	rows, err := db.NewIter(&pebble.IterOptions{LowerBound: key(from, "\x00"), UpperBound: key(to, "\x01")})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	out := bufio.NewWriter(os.Stdout)
	for ok := rows.First(); ok; ok = rows.Next() {
		line := rows.Value()
		switch state := line[bytes.LastIndexByte(line, '\t')+1:]; string(state) {
		case "planned", "raised", "submitted":
			out.Write(line)
			out.WriteByte('\n')
		}
	}
	return errors.Join(rows.Close(), out.Flush(), db.Close())
}

// quiet keeps what pebble tells of its work to itself.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
