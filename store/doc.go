// Package store keeps what the scheduler must never forget: the facts of
// every borrower, the plan of every unit, the events, the rulebooks and
// calendars in force, the outbox, and the audit trail.
//
// It has two halves. A Backend is an ordered key-value store of two closures,
// View and Update; package bolt is one. A Store puts everything else on top,
// once: the layout of keys (layout.go), the form of the records, their
// checksums, the indexes, and the hash chain of the audit trail. What a
// backend promises is tested by package storetest.
//
// The store has no clock and knows no rules. It never decides what is due; it
// finds again what it was given, or says that it cannot. A record whose
// checksum is wrong is an error that names it, never an answer.
//
// A View must be short: while it lasts the backend may not be able to use old
// space again. Copy what is wanted, leave the View, then talk to the client;
// long reads go page by page.
package store
