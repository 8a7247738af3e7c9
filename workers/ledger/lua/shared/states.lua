-- The states of a run: which follow which, and which are followed by any. Filled in from TRANSITIONS
-- in workers/ledger/model/run.py.
local MOVES = MODEL.MOVES
local OPEN = MODEL.OPEN
