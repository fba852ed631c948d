package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// output is stdout, and remembers the first error of writing to it: an answer
// that a full disk cut short must not end with status 0.
type output struct {
	w io.Writer

	mu  sync.Mutex
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil {
			o.err = err
		}
	}
	return n, err
}

// failure is what a command ends with that succeeded but for its output.
func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		return nil
	}
	return fmt.Errorf("write the output: %w; what the command changed stands", o.err)
}

var _ io.Writer = (*output)(nil)

// lossy writes lines to a writer that may fail or block, as a log does on a full
// disk or a pipe that nobody reads: whoever writes to it never waits. What finds
// no room is counted, and the number is told when there is room again.
type lossy struct {
	w     io.Writer
	lines chan []byte
	ended chan struct{}

	mu      sync.Mutex
	dropped int
	closed  bool
}

// lossyLines is how many lines may wait to be written.
const lossyLines = 1024

func newLossy(w io.Writer) *lossy {
	l := &lossy{w: w, lines: make(chan []byte, lossyLines), ended: make(chan struct{})}
	go l.run()
	return l
}

func (l *lossy) run() {
	defer close(l.ended)
	for line := range l.lines {
		if _, err := l.w.Write(line); err != nil {
			l.drop()
			continue
		}
		if n := l.lost(); n > 0 {
			if _, err := fmt.Fprintf(l.w, "level=WARN msg=\"log lines were lost\" lines=%d\n", n); err != nil {
				l.mu.Lock()
				l.dropped += n
				l.mu.Unlock()
			}
		}
	}
}

func (l *lossy) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped++
}

// lost gives how many lines were lost since it was asked last.
func (l *lossy) lost() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.dropped
	l.dropped = 0
	return n
}

// Write never blocks and never fails.
func (l *lossy) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return len(p), nil
	}
	select {
	case l.lines <- append([]byte(nil), p...):
	default:
		l.dropped++
	}
	return len(p), nil
}

// Close gives what waits a moment to be written.
func (l *lossy) Close() error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.lines)
	}
	l.mu.Unlock()
	select {
	case <-l.ended:
	case <-time.After(lossyGrace):
	}
	return nil
}

// lossyGrace is how long the end of a daemon waits for its log.
const lossyGrace = time.Second
