package bolt

import (
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"tickler/store"
)

// A bbolt file begins with two headers, pages 0 and 1, written in turn. The
// one of the higher txid tells where everything is:
//
//	page header 16 | magic 4 | version 4 | page size 4 | flags 4 | root 8 | sequence 8 |
//	freelist 8 | pages 8 | txid 8 | fnv64a of these 56 bytes, 8
const (
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	metaSize    = 64
	noFreelist  = ^uint64(0)

	pageSize = 4096 // of the files made here, on every machine
)

type meta struct {
	pageSize                    int
	root, freelist, pages, txid uint64
}

func parseMeta(b []byte) (m meta, ok bool) {
	if len(b) < pageHeader+metaSize {
		return m, false
	}
	b = b[pageHeader:]
	h := fnv.New64a()
	h.Write(b[:56])
	m = meta{
		pageSize: int(order.Uint32(b[8:])),
		root:     order.Uint64(b[16:]),
		freelist: order.Uint64(b[32:]),
		pages:    order.Uint64(b[40:]),
		txid:     order.Uint64(b[48:]),
	}
	ok = order.Uint32(b) == metaMagic && order.Uint32(b[4:]) == metaVersion &&
		order.Uint64(b[56:]) == h.Sum64() && m.pageSize >= 1024 && m.pageSize <= 1<<20 && m.pageSize&(m.pageSize-1) == 0
	return m, ok
}

func corrupt(format string, args ...any) error {
	return &store.Damage{Reason: fmt.Sprintf(format, args...)}
}

// inspect looks at what bbolt would believe: the headers, the length of the
// file and the list of free pages, which it gives back.
func inspect(f *os.File, oneHeader bool) (m meta, free []uint64, err error) {
	info, err := f.Stat()
	if err != nil {
		return m, nil, err
	}
	size := info.Size()
	if size == 0 {
		return m, nil, store.ErrNoStore
	}
	buf := make([]byte, 2*pageSize)
	if n, err := f.ReadAt(buf, 0); err != nil && err != io.EOF {
		return m, nil, err
	} else if n < len(buf) {
		return m, nil, corrupt("the file is cut short at %d bytes", size)
	}
	m0, ok0 := parseMeta(buf)
	at := pageSize
	if ok0 && m0.pageSize != pageSize {
		at = m0.pageSize
		if _, err := f.ReadAt(buf[:pageSize], int64(at)); err != nil && err != io.EOF {
			return m, nil, err
		}
		copy(buf[pageSize:], buf[:pageSize])
	}
	m1, ok1 := parseMeta(buf[pageSize:])
	switch {
	case !ok0 && !ok1:
		return m, nil, corrupt("the file is no store, or both of its headers are damaged")
	case ok0 != ok1 && !oneHeader:
		return m, nil, corrupt("one of the file's two headers is damaged; the last change may be missing")
	case ok0 && ok1 && m0.txid+1 != m1.txid && m1.txid+1 != m0.txid && !oneHeader:
		return m, nil, corrupt("the file's two headers do not follow each other; the last changes may be missing")
	}
	m = m0
	if !ok0 || ok1 && m1.txid > m0.txid {
		m = m1
	}
	if m.pages < 4 || m.pages > uint64(size)/uint64(m.pageSize) {
		return m, nil, corrupt("the file is cut short: it has %d bytes and needs %d pages of %d", size, m.pages, m.pageSize)
	}
	free, err = readFreelist(f, m)
	return m, free, err
}

// readFreelist reads the list of free pages, which bbolt trusts with what it
// may overwrite.
func readFreelist(f *os.File, m meta) ([]uint64, error) {
	bad := func(what string) error { return corrupt("the list of free pages %s", what) }
	if m.freelist == noFreelist {
		return nil, nil
	}
	if m.freelist < 2 || m.freelist >= m.pages {
		return nil, bad("is outside the file")
	}
	head := make([]byte, pageHeader+8)
	if _, err := f.ReadAt(head, int64(m.freelist)*int64(m.pageSize)); err != nil {
		return nil, fmt.Errorf("read the list of free pages: %w", err)
	}
	n, skip, overflow := uint64(order.Uint16(head[10:])), 0, uint64(order.Uint32(head[12:]))
	if order.Uint64(head) != m.freelist || order.Uint16(head[8:]) != flagFreelist {
		return nil, bad("is another page")
	}
	if n == 0xffff { // more than the count can say: the first entry says it
		n, skip = order.Uint64(head[pageHeader:]), 8
	}
	if overflow >= m.pages-m.freelist || n > m.pages ||
		pageHeader+uint64(skip)+8*n > (overflow+1)*uint64(m.pageSize) {
		return nil, bad("is longer than its page")
	}
	b := make([]byte, 8*n)
	if _, err := f.ReadAt(b, int64(m.freelist)*int64(m.pageSize)+pageHeader+int64(skip)); err != nil {
		return nil, fmt.Errorf("read the list of free pages: %w", err)
	}
	free := make([]uint64, n)
	for i := range free {
		free[i] = order.Uint64(b[8*i:])
		if free[i] < 2 || free[i] >= m.pages || i > 0 && free[i] <= free[i-1] ||
			free[i] >= m.freelist && free[i] <= m.freelist+overflow {
			return nil, bad("names a page that cannot be free")
		}
	}
	// The pages of the list itself are in use too; the tree must not have them.
	for id := m.freelist; id <= m.freelist+overflow; id++ {
		free = append(free, id)
	}
	return free, nil
}
