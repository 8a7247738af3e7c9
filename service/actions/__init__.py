"""What people may change: approvals, locks, rollbacks, retries."""
