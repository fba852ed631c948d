// Package web answers requests over HTTP: today the api of the commands, by a
// socket or in the same process. It translates and decides nothing.
package web
