-- Be woken under a name from now on, and under no other one; with fields of the run.
-- @include keys
-- @include note
-- @include run
-- @arguments id fence name seconds *fields
if not holds(id, fence) then return 0 end
redis.call('HSET', run_key(id), 'awaits', name)
redis.call('SET', KEY.AWAITS .. name, id, 'EX', seconds)
note(id, fields)
return 1
