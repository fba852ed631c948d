package main

import "net"

// sdNotify tells systemd a state (sd_notify(3)); socket is $NOTIFY_SOCKET, ""
// where nobody listens. Go reads a leading @ as the abstract name space too.
func sdNotify(socket, state string) {
	if socket == "" {
		return
	}
	c, err := net.Dial("unixgram", socket)
	if err != nil {
		return
	}
	defer c.Close()
	c.Write([]byte(state))
}
