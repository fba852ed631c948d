//go:build linux

// Command bench measures tickler beside its peers, in one run on one machine.
//
// It makes a ledger from a seed, in the shape of a real portfolio, and does
// with it what a branch does in its days: import, plan, plan again, raise,
// list, be killed, open again. Each figure stands beside a limit, or beside
// what another program needs for the same work in the same run: the ratio is
// what is meant to hold elsewhere, the absolute figures are this machine's.
//
// What is measured runs in a process of its own, whose time and peak memory the
// kernel tells (wait4). bench itself stays small: a process that is started
// begins with the peak of the one that starts it.
//
// It is no part of the program, and nothing imports it.
package main
