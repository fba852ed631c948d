package ledger

import (
	"errors"

	"tickler/calendar"
)

// Mapping is a bank's own mapping.yaml: what its columns and words mean.
type Mapping struct {
	Columns  map[string]string            // header -> canonical name of a field, or x
	Ignore   []string                     // headers to drop
	Values   map[string]map[string]string // field -> the bank's word -> ours
	Unit     string                       // of amounts whose header does not say: 元 or 万元
	DataDate calendar.Date                // where the rows give none
}

// ParseMapping reads a mapping.yaml. Mistakes come all at once, a line each,
// as name:line:column.
func ParseMapping(name string, data []byte) (*Mapping, error) {
	return nil, errors.New("not yet")
}
