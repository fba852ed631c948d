package api

import (
	"context"

	"tickler/calendar"
)

// BackupRequest asks for a copy of the store.
type BackupRequest struct {
	File string `json:"file"` // absolute; of the machine that the store is on
}

// Copy is a backup that was read back and proved.
type Copy struct {
	File     string        `json:"file"`
	Size     int64         `json:"size"`   // bytes
	Digest   string        `json:"digest"` // sha256:… of the file
	Business calendar.Date `json:"business_date"`
	Audit    Head          `json:"audit"` // of the copy, which the copy's own record is not part of
}

// Backup asks the process that holds the store to write a copy of it.
func (c *Client) Backup(ctx context.Context, r BackupRequest) (*Copy, error) {
	return call[Copy](ctx, c, "backup", r, nil)
}

// RebuildReply says what was made again.
type RebuildReply struct {
	Kept        int      `json:"kept"`        // plans that could be read, and stay
	Plans       int      `json:"plans"`       // plans that were made again
	Obligations int      `json:"obligations"` // in those
	Dropped     int      `json:"dropped"`     // plan records that could not be read
	Unknown     []string `json:"unknown"`     // of which only what the audit says is left
	Copy        string   `json:"copy,omitempty"`
}
