// Package promises holds what tickler promises against the real binary: it is
// built once, given real files, killed, starved, deceived and looked at from
// outside, by its commands alone.
//
// Each promise has a quick form, part of "make test", and a full one, "make
// promises". docs/promises.md says which test stands for which promise. A
// harness counts for something only where it catches a planted fault: each has
// a control, a binary built with one line of the source exchanged.
package promises
