package store

// For the tests that forge: they know all that the program knows.
var (
	AuditKey  = auditKey
	AuditHash = auditHash
)
