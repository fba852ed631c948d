package api

import (
	"errors"
	"fmt"
)

// Code is the kind of an error, as a caller acts on it. Exit codes and HTTP
// statuses are mapped from it, once each.
type Code string

const (
	Failed      Code = "failed"      // anything else
	Usage       Code = "usage"       // the request makes no sense
	NotFound    Code = "not_found"   // no such obligation, loan, rule
	Findings    Code = "findings"    // a check found something
	NoStore     Code = "no_store"    // run init
	Locked      Code = "locked"      // another process holds the store
	NotAllowed  Code = "not_allowed" // not this person
	BadFile     Code = "bad_file"    // a file was refused, with its problems in the message
	Unknown     Code = "unknown"     // the outcome of a commit is unknown
	NoSpace     Code = "no_space"    // the disk is full; nothing was changed
	Damaged     Code = "damaged"     // the store is not what was written; nothing of it was served
	Interrupted Code = "interrupted"
	Busy        Code = "busy"      // too many requests at work: try again
	TooLarge    Code = "too_large" // the request, or a file in it
)

// Error is an error with its code and the next step.
type Error struct {
	Code Code   `json:"code"`
	Text string `json:"error"`
	Hint string `json:"hint,omitempty"`
}

func (e *Error) Error() string {
	if e.Hint != "" {
		return e.Text + "\nhint: " + e.Hint
	}
	return e.Text
}

// Errorf makes an error with a code.
func Errorf(code Code, hint, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...), Hint: hint}
}

// CodeOf gives the code of an error; Failed for one that has none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Failed
}
