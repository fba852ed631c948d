//go:build !linux

package web

import (
	"context"
	"net"
)

// PeerContext cannot name the user at the other end of a socket here.
func PeerContext(ctx context.Context, _ net.Conn) context.Context { return ctx }
