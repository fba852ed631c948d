// Package bolt keeps a store in one file, with bbolt.
//
// bbolt has no checksums and takes what it finds in the file on trust: a
// flipped bit is served, or ends the process. So this package looks first. A
// file is looked at before bbolt may open it (header.go); every way through
// the tree is checked before bbolt goes it (pages.go); and where a key is not
// found, its neighbours must be sound and in order, so that a damaged key is
// never taken for an absent one. What is left of bbolt's panics and of memory
// faults comes back as store.ErrCorrupt.
//
// All keys live in one bbolt bucket, as bucket name | 00 | key, between two
// posts that are never removed: the first key and the last. A tree whose first
// or last key is another is not the whole tree.
package bolt
