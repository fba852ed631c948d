package main

import (
	"fmt"
	"time"
)

// busy says on a terminal, after a second, that work goes on and for how long;
// the function it gives takes the line away again.
func (g *global) busy(what string) (done func()) {
	if _, tty := terminal(g.stderr); !tty {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	began := g.now()
	go func() {
		defer close(stopped)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		said := false
		for {
			select {
			case <-stop:
				if said {
					fmt.Fprint(g.stderr, "\r\x1b[K")
				}
				return
			case <-t.C:
				said = true
				fmt.Fprintf(g.stderr, "\r\x1b[K%s … %d s", what, int(g.now().Sub(began).Seconds()))
			}
		}
	}()
	return func() { close(stop); <-stopped }
}
