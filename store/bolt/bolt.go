package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"tickler/store"
)

// Options are how to open a store.
type Options struct {
	Timeout  time.Duration // to wait for another holder; 0 is 2 s, negative not at all
	ReadOnly bool          // several may read at once while nobody writes

	// OneHeader opens a file of which one of the two headers is damaged. The
	// last change, or what came after the one before, may be missing: compare
	// the audit trail's head with one that was printed.
	OneHeader bool
}

func (o Options) timeout() time.Duration {
	switch {
	case o.Timeout == 0:
		return 2 * time.Second
	case o.Timeout < 0:
		return 0
	}
	return o.Timeout
}

// DB is a store.Backend in a bbolt file. It is safe for concurrent use.
type DB struct {
	path     string // absolute, links followed
	bolt     *bbolt.DB
	lock     *lock
	file     os.FileInfo  // of the file that was opened
	size     atomic.Int64 // of the file; it only grows
	readOnly bool

	scratchDir string // of a copy to throw away, whose file may have no name; else ""

	writer   chan struct{} // holds one token while an Update is at work
	broken   atomic.Pointer[error]
	stuck    atomic.Bool // bbolt kept its lock after a panic
	closing  sync.Once
	closeErr error
}

var (
	rootBucket = []byte("tickler")
	firstKey   = []byte{0}
	lastKey    = []byte{0xff, 0xff}
)

// The posts at both ends of the tree. The first is so long that bbolt never
// keeps the bucket inside another page.
var (
	firstValue = func() []byte {
		b := make([]byte, 2048)
		copy(b, "tickler store, one tree\n")
		return b
	}()
	lastValue = []byte("end")
)

// Before the keys of each bucket stand two fences, the bucket's name without
// and with the 00. They are long, so that no two buckets ever share a leaf:
// bbolt puts what a transaction adds to a leaf into one list and cuts it when
// the transaction commits, and the first import of a bank would insert each
// dossier in front of all plans.
var fenceValue = func() []byte {
	b := make([]byte, 3000)
	copy(b, "fence\n")
	return b
}()

// Create makes an empty store at path, which must not be there or be empty,
// and whose directory must be. The file is made under another name, checked,
// and renamed when it is safe on the disk: after a power cut there is a whole
// store or none. It gives an error that is fs.ErrExist where there is one.
func Create(path string) error { return CreateWith(path, func(*DB) error { return nil }) }

// CreateWith is Create of a store that holds from the beginning what fill puts
// into it.
func CreateWith(path string, fill func(*DB) error) error {
	path, err := resolve(path)
	if err != nil {
		return err
	}
	if disk := networkDisk(filepath.Dir(path)); disk != "" {
		return fmt.Errorf("create the store %s: it is on a network disk (%s); use a local one", path, disk)
	}
	l, err := takeLock(path, false, Options{}.timeout())
	if err != nil {
		return err
	}
	defer l.release()
	if info, err := os.Lstat(path); err == nil && (info.Size() > 0 || !info.Mode().IsRegular()) {
		return fmt.Errorf("create the store: %w", &os.PathError{Op: "create", Path: path, Err: os.ErrExist})
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("create the store: %w", err)
	}
	return place(path, func(f *os.File) error {
		db, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{
			Timeout: time.Second, PageSize: pageSize, FreelistType: bbolt.FreelistMapType,
		})
		if err != nil {
			return err
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket(rootBucket)
			if err != nil {
				return err
			}
			err = errors.Join(b.Put(firstKey, firstValue), b.Put(lastKey, lastValue))
			for _, bucket := range store.Buckets {
				err = errors.Join(err, b.Put([]byte(bucket), fenceValue), b.Put(append([]byte(bucket), 0), fenceValue))
			}
			return err
		})
		if err = errors.Join(err, db.Close()); err != nil {
			return err
		}
		made, err := openFile(f.Name(), Options{})
		if err != nil {
			return err
		}
		return errors.Join(fill(made), made.Close())
	})
}

// place makes a file that is whole and safe on the disk before it has its name.
func place(path string, write func(f *os.File) error) error {
	return placeAs(path, filepath.Base(path)+".*.tmp", os.Rename, write)
}

// placeAs is place under a temporary name of a pattern, named by rename.
func placeAs(path, pattern string, rename func(from, to string) error, write func(f *os.File) error) error {
	name, err := draft(path, pattern, write)
	if err != nil {
		return err
	}
	if err := rename(name, path); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		// It is there, and nobody knows for how long: better not at all.
		return errors.Join(fmt.Errorf("sync the directory of %s: %w", path, err), os.Remove(path))
	}
	return nil
}

// draft makes a file under a temporary name of a pattern beside path, has it
// written, syncs and checks it, and gives the name. Nothing is left where that
// fails.
func draft(path, pattern string, write func(f *os.File) error) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), pattern)
	if err != nil {
		return "", err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.Sync(); err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	if err := verify(context.Background(), f.Name()); err != nil {
		return "", fmt.Errorf("verify %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return f.Name(), nil
}

// resolve follows links, so that every name of the store leads to one lock.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path, nil // the caller finds out
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// Open opens the store at path.
//
// It is store.ErrNoStore where the file is missing or empty, store.ErrLocked
// where another holds it for longer than the timeout, and store.ErrCorrupt
// where its headers, its free pages or the branches of its tree are not sound.
// The leaves are looked at when they are read.
func Open(path string, o Options) (*DB, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", path, store.ErrNoStore)
	case err != nil:
		return nil, fmt.Errorf("open the store: %w", err)
	case info.Mode().IsRegular() && info.Size() == 0:
		return nil, fmt.Errorf("%s is an empty file: %w", path, store.ErrEmpty)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open the store: %s is no file", path)
	}
	if disk := networkDisk(path); disk != "" {
		return nil, fmt.Errorf("open the store %s: it is on a network disk (%s), where locks cannot be trusted; use a local one", path, disk)
	}
	l, err := takeLock(path, o.ReadOnly, o.timeout())
	if err != nil {
		return nil, err
	}
	db, err := openFile(path, o)
	if err != nil {
		l.release()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	db.lock = l
	return db, nil
}

// openFile opens a file without the lock beside it.
func openFile(path string, o Options) (db *DB, err error) {
	free, err := inspectLocked(path, o)
	if err != nil {
		return nil, err
	}

	var file *os.File                                                             // bbolt's, to be closed where it panics
	made := &DB{path: path, readOnly: o.ReadOnly, writer: make(chan struct{}, 1)} // a return of nil leaves it to be closed
	db = made
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = corrupt("the file cannot be read: %v", r)
		}
		if err != nil && file != nil {
			if made.bolt != nil {
				made.bolt.Close()
			}
			file.Close()
		}
	}()
	options := &bbolt.Options{
		Timeout:         max(o.timeout(), lockRetry),
		ReadOnly:        o.ReadOnly,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapAhead,
		NoStatistics:    true,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag&^os.O_CREATE, mode)
			if file == nil {
				file = f
			}
			return f, err
		},
	}
	if o.ReadOnly {
		options.InitialMmapSize = 0
	}
	db.bolt, err = bbolt.Open(path, 0o600, options)
	if errors.Is(err, syscall.ENOMEM) && options.InitialMmapSize > 0 { // the process may not have so many addresses
		options.InitialMmapSize, file = 0, nil
		db.bolt, err = bbolt.Open(path, 0o600, options)
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, store.ErrLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, corrupt("%v", err)
	case err != nil:
		return nil, err
	}
	if db.file, err = file.Stat(); err != nil {
		return nil, err
	}
	db.size.Store(db.file.Size())
	tx, err := db.bolt.Begin(false)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	return db, checkBranches(tx, free)
}

// inspectLocked looks at the file while nobody can write it.
func inspectLocked(path string, o Options) (free []uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = whileHeld(o.timeout(), func() error { return tryFileLock(f, o.ReadOnly) })
	switch {
	case errors.Is(err, errHeld):
		return nil, store.ErrLocked
	case err != nil:
		return nil, err
	}
	_, free, err = inspect(f, o.OneHeader)
	return free, err
}

// Shed gives up the memory that holds pages of the file which were read.
func (db *DB) Shed() error {
	return db.run(context.Background(), false, func(t *tx) error { return shed(mapped(t.tx)) })
}

// mapped is the file as it is mapped.
func mapped(tx *bbolt.Tx) []byte {
	info := tx.DB().Info()
	data := *(*unsafe.Pointer)(unsafe.Pointer(&info.Data))
	return unsafe.Slice((*byte)(data), tx.Size())
}

// treeOf gives the tree that a transaction began with.
func treeOf(tx *bbolt.Tx) (*tree, error) {
	b := tx.Bucket(rootBucket)
	if b == nil {
		return nil, corrupt("the file is a database, but not a store of tickler")
	}
	t, err := newTree(pages{data: mapped(tx), size: tx.DB().Info().PageSize}, uint64(b.Root()))
	return t, damage(err)
}

// damage makes a store.Damage of a fault.
func damage(err error) error {
	var f *fault
	if errors.As(err, &f) {
		return corrupt("%v", f)
	}
	return err
}

// checkBranches looks at every branch of the tree, and that no page of it is
// among the free ones, which the next change would overwrite.
func checkBranches(tx *bbolt.Tx, free []uint64) error {
	t, err := treeOf(tx)
	if err != nil {
		return err
	}
	used := newBitmap(t.count())
	for _, id := range free {
		used.mark(id)
	}
	var first error
	t.all(false, used.mark, func(page) bool { return true }, func(err error) {
		if first == nil {
			first = err
		}
	})
	return damage(first)
}

// Close waits for the transactions at work and gives up the file. A second
// Close gives what the first gave.
func (db *DB) Close() error {
	db.closing.Do(func() {
		db.writer <- struct{}{}
		db.fail(errClosed)
		if !db.stuck.Load() {
			db.closeErr = db.bolt.Close()
		}
		if db.lock != nil {
			db.closeErr = errors.Join(db.closeErr, db.lock.release())
		}
		if db.scratchDir != "" {
			db.closeErr = errors.Join(db.closeErr, os.RemoveAll(db.scratchDir))
		}
		<-db.writer
	})
	return db.closeErr
}

var errClosed = errors.New("the store is closed")

// fail makes all further work fail with an error. The first one stays.
func (db *DB) fail(err error) error {
	db.broken.CompareAndSwap(nil, &err)
	return err
}

// Path is where the file is, links followed.
func (db *DB) Path() string { return db.path }

// Err says whether the store can still be used: nil, store.ErrOutcomeUnknown
// after a commit that may or may not have happened, store.ErrReplaced when
// another file stands where its own was, or store.ErrCorrupt when its file was
// cut short.
func (db *DB) Err() error {
	if p := db.broken.Load(); p != nil {
		return *p
	}
	if db.scratchDir != "" {
		return nil
	}
	size := db.size.Load() // before the look: a commit may be lengthening the file
	info, err := os.Stat(db.path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(info, db.file) {
		return db.fail(fmt.Errorf("%s: %w", db.path, store.ErrReplaced))
	}
	if err == nil && info.Size() < size {
		return db.fail(fmt.Errorf("%s: %w", db.path, corrupt("the file was cut short while it was open: it had %d bytes and has %d", size, info.Size())))
	}
	if err == nil {
		db.size.Store(info.Size())
	}
	return nil // a stat that failed otherwise says nothing of the file
}

// View runs fn on one state of the store. See store.Backend.
func (db *DB) View(ctx context.Context, fn func(store.Reader) error) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	return db.run(ctx, false, func(t *tx) error { return fn(t) })
}

// Update runs fn once and commits what it wrote. See store.Backend. A commit
// for which the disk has no room leaves what was there, and the store usable;
// after one that failed in another way all further work is
// store.ErrOutcomeUnknown.
func (db *DB) Update(ctx context.Context, fn func(store.Writer) error) error {
	if db.readOnly {
		return errors.New("the store was opened for reading only")
	}
	select {
	case db.writer <- struct{}{}:
		defer func() { <-db.writer }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := db.ready(ctx); err != nil {
		return err
	}
	if err := db.Err(); err != nil {
		return err
	}
	return db.run(ctx, true, func(t *tx) error { return fn(t) })
}

func (db *DB) ready(ctx context.Context) error {
	if p := db.broken.Load(); p != nil {
		return *p
	}
	return ctx.Err()
}

func (db *DB) run(ctx context.Context, writable bool, fn func(*tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	btx, err := db.begin(writable)
	if err != nil {
		return err
	}
	t := &tx{ctx: ctx, tx: btx, writable: writable}
	ended := false
	defer func() {
		t.ended = true
		if !ended {
			db.rollback(btx)
		}
		if r := recover(); r != nil {
			if _, ok := r.(interface{ Addr() uintptr }); !ok {
				panic(r)
			}
			// A page of the mapped file could not be read, in fn's own hands.
			err = db.fault(corrupt("a part of the file cannot be read"))
		}
	}()
	if err := t.start(); err != nil {
		return err
	}
	if err := fn(t); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil || !writable {
		return err
	}
	ended = true
	t.ended = true
	return db.commit(btx)
}

// fault says that the file was cut short, where it was, and the reason else.
func (db *DB) fault(reason error) error {
	if err := db.Err(); err != nil {
		return err
	}
	return reason
}

// begin starts a transaction of bbolt. Where bbolt panics it keeps its locks,
// and nothing can be done with it any more.
func (db *DB) begin(writable bool) (btx *bbolt.Tx, err error) {
	defer func() {
		if r := recover(); r != nil {
			db.stuck.Store(true)
			err = db.fail(db.fault(unreadable(r)))
		}
	}()
	btx, err = db.bolt.Begin(writable)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		err = errClosed
	}
	return btx, err
}

// rollback ends a transaction of bbolt without its changes. Where bbolt panics
// it may keep its lock, and nothing can be done with it any more.
func (db *DB) rollback(btx *bbolt.Tx) {
	defer func() {
		if r := recover(); r != nil {
			db.stuck.Store(true)
			db.fail(corrupt("a change could not be taken back: %v", r))
		}
	}()
	btx.Rollback()
}

// commit commits. Of a commit that failed it is known that it did not happen
// only where a write found no room and its header is not in the file. A sync
// that failed says nothing of what is on the disk, whatever its reason, and a
// second one nothing of the first: nobody goes on after it.
func (db *DB) commit(btx *bbolt.Tx) (err error) {
	txid := uint64(btx.ID())
	panicked := true
	func() {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("commit: %v", r)
			}
		}()
		err = btx.Commit()
		panicked = false
	}()
	if err == nil {
		if cerr := db.Err(); errors.Is(cerr, store.ErrReplaced) {
			return db.unknown(cerr) // committed to a file that nobody will find
		}
		return nil
	}
	written := db.headerWritten(txid)
	db.rollback(btx)
	if !panicked && noRoom(err) && !written {
		return fmt.Errorf("%w: %w", store.ErrNoSpace, err)
	}
	return db.unknown(err)
}

// noRoom says that bbolt could not write, or not lengthen the file, for want of
// space. A write that fails comes as an *os.PathError, a sync as the bare error
// of the system, and what failed in growing the file as text.
func noRoom(err error) bool {
	if w := (*os.PathError)(nil); errors.As(err, &w) {
		return slices.ContainsFunc(noSpace, func(e error) bool { return errors.Is(w.Err, e) })
	}
	reason, resize := strings.CutPrefix(err.Error(), "file resize error: ")
	return resize && slices.ContainsFunc(noSpace, func(e error) bool { return strings.HasSuffix(reason, e.Error()) })
}

func (db *DB) unknown(err error) error {
	err = fmt.Errorf("%w: %w", store.ErrOutcomeUnknown, err)
	db.broken.Store(&err)
	return err
}

// headerWritten says whether the header of a transaction is in the file, or
// may be.
func (db *DB) headerWritten(txid uint64) bool {
	f, err := os.Open(db.path)
	if err != nil {
		return true
	}
	defer f.Close()
	b := make([]byte, pageHeader+metaSize)
	if _, err := f.ReadAt(b, int64(txid%2)*int64(db.bolt.Info().PageSize)); err != nil {
		return true
	}
	m, ok := parseMeta(b)
	return !ok || m.txid >= txid
}
