// Package api is the language between a command and the one process that
// holds the store: requests, replies, errors, and the client that every
// command uses.
package api
