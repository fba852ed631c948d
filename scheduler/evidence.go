package scheduler

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
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
	for _, f := range files {
		e, err := s.keepFile(f)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (s *Scheduler) keepFile(f api.File) (loan.Evidence, error) {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, f.Name)
	if len(name) > maxName {
		name = name[:maxName]
	}
	kind := http.DetectContentType(f.Data)
	switch {
	case len(f.Data) == 0:
		return loan.Evidence{}, api.Errorf(api.Usage, "", "evidence %q is empty", name)
	case len(f.Data) > maxEvidence:
		return loan.Evidence{}, api.Errorf(api.Usage, "", "evidence %q holds %d bytes, at most %d are kept", name, len(f.Data), maxEvidence)
	case slices.Contains(refusedEndings, strings.ToLower(filepath.Ext(name))),
		!slices.ContainsFunc(evidenceTypes, func(t string) bool { return strings.HasPrefix(kind, t) }):
		return loan.Evidence{}, api.Errorf(api.Usage, "keep a document or a picture", "evidence %q is %s, which is not kept", name, kind)
	}
	sum := sha256.Sum256(f.Data)
	digest := hex.EncodeToString(sum[:])
	if s.cfg.Data != "" {
		dir := filepath.Join(s.cfg.Data, "files", digest[:2])
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return loan.Evidence{}, err
		}
		path := filepath.Join(dir, digest)
		if _, err := os.Stat(path); err != nil {
			if err := WriteFile(path, f.Data, 0o600); err != nil {
				return loan.Evidence{}, err
			}
		}
	}
	return loan.Evidence{Name: name, Digest: "sha256:" + digest, Size: int64(len(f.Data))}, nil
}

// addEvidence keeps with an obligation which files prove it.
func (m *move) addEvidence(id string, files []loan.Evidence) error {
	var known []loan.Evidence
	if err := m.tx.Row(tableEvidence, id, &known); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return m.tx.PutRow(tableEvidence, id, append(known, files...))
}
