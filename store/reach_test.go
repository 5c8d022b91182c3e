package store

// ForgetRecent makes the next CachedInventory ask the database.
func (db *DB) ForgetRecent() { db.recent.list.Purge() }
