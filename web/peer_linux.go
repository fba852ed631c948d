package web

import (
	"context"
	"net"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"tickler/scheduler"
)

// PeerContext is an http.Server's ConnContext that names the user at the other
// end of a socket, as the kernel knows him (SO_PEERCRED). Whom it does not know
// is nobody, and not the user of this process.
func PeerContext(ctx context.Context, c net.Conn) context.Context {
	ctx = WithActor(ctx, scheduler.Actor{})
	sock, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := sock.SyscallConn()
	if err != nil {
		return ctx
	}
	var cred *unix.Ucred
	if raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }) != nil || err != nil {
		return ctx
	}
	name := strconv.Itoa(int(cred.Uid))
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return WithActor(ctx, scheduler.Actor{OSUser: name, Owner: int(cred.Uid) == os.Getuid() || cred.Uid == 0})
}
