package scheduler

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"tickler/api"
	"tickler/loan"
	"tickler/store"
)

const (
	tableEvidence = "evidence" // obligation id -> files
	maxEvidence   = 20 << 20   // bytes of one file
	maxFiles      = 10         // of one move
	maxName       = 200        // bytes of its name, which is told and never a path
)

// evidenceTypes are the kinds of files that prove something: documents and
// pictures, by their first bytes.
var evidenceTypes = []string{"application/pdf", "image/", "text/plain", "application/zip", "application/x-gzip", "application/octet-stream"}

// refusedEndings are files that a desk should not open.
var refusedEndings = []string{".exe", ".dll", ".bat", ".cmd", ".com", ".js", ".vbs", ".ps1", ".scr", ".msi", ".sh", ".html", ".htm", ".svg"}

// keepFiles writes evidence into the data directory, each under its digest, and
// says what it kept. What is there already stays.
func (s *Scheduler) keepFiles(files []api.File) ([]loan.Evidence, error) {
	var out []loan.Evidence
	if len(files) > maxFiles {
		return nil, api.Errorf(api.Usage, "pack them into one", "%d files of evidence, at most %d are kept with a move", len(files), maxFiles)
	}
	for _, f := range files {
		if err := fits(f); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		e, err := s.keepFile(f)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// toldName is the name of a file as it is kept and told: never a path, no
// control or direction marks, a whole number of letters.
func toldName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if strings.Trim(name, ". ") == "" {
		return "_"
	}
	if len(name) <= maxName {
		return name
	}
	ending := filepath.Ext(name)
	if len(ending) > 16 {
		ending = ""
	}
	return strings.ToValidUTF8(name[:maxName-len(ending)], "") + ending
}

// programs begin so: Windows, Linux, macOS, and scripts.
var programs = []string{"MZ", "\x7fELF", "\xcf\xfa\xed\xfe", "\xfe\xed\xfa\xcf", "\xca\xfe\xba\xbe", "#!"}

// fits refuses what is no evidence.
func fits(f api.File) error {
	name := toldName(f.Name)
	kind := http.DetectContentType(f.Data)
	ending := strings.ToLower(filepath.Ext(strings.TrimRight(f.Name, ". \t\r\n")))
	switch {
	case len(f.Data) == 0:
		return api.Errorf(api.Usage, "", "evidence %q is empty", name)
	case len(f.Data) > maxEvidence:
		return api.Errorf(api.Usage, "", "evidence %q holds %d bytes, at most %d are kept", name, len(f.Data), maxEvidence)
	case slices.ContainsFunc(programs, func(p string) bool { return bytes.HasPrefix(f.Data, []byte(p)) }):
		return api.Errorf(api.Usage, "keep a document or a picture", "evidence %q is a program, which is not kept", name)
	case slices.Contains(refusedEndings, ending), !slices.ContainsFunc(evidenceTypes, func(t string) bool { return strings.HasPrefix(kind, t) }):
		return api.Errorf(api.Usage, "keep a document or a picture", "evidence %q is %s, which is not kept", name, cmp.Or(strings.TrimPrefix(ending, "."), kind))
	}
	return nil
}

func (s *Scheduler) keepFile(f api.File) (loan.Evidence, error) {
	sum := sha256.Sum256(f.Data)
	digest := hex.EncodeToString(sum[:])
	if s.cfg.Data != "" {
		dir := filepath.Join(s.cfg.Data, "files", digest[:2])
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return loan.Evidence{}, fmt.Errorf("keep evidence: %w", err)
		}
		path := filepath.Join(dir, digest)
		// What is there stays, unless it was damaged since.
		if there, err := os.ReadFile(path); err != nil || sha256.Sum256(there) != sum {
			if err := WriteFile(path, f.Data, 0o600); err != nil {
				return loan.Evidence{}, err
			}
		}
		// Also what an earlier try left whose directories were never safe.
		for _, d := range []string{dir, filepath.Dir(dir), s.cfg.Data} {
			if err := syncDir(d); err != nil {
				return loan.Evidence{}, fmt.Errorf("keep evidence: %w", err)
			}
		}
	}
	return loan.Evidence{Name: toldName(f.Name), Digest: "sha256:" + digest, Size: int64(len(f.Data))}, nil
}

// addEvidence keeps with an obligation which files prove it, each once.
func (m *move) addEvidence(id string, files []loan.Evidence) error {
	var known []loan.Evidence
	if err := m.tx.Row(tableEvidence, id, &known); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for _, f := range files {
		if !slices.ContainsFunc(known, func(k loan.Evidence) bool { return k.Digest == f.Digest }) {
			known = append(known, f)
		}
	}
	return m.tx.PutRow(tableEvidence, id, known)
}
