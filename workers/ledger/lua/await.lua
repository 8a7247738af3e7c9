-- Be woken under a name from now on, and under no other one; with fields of the run.
-- @include keys
-- @include note
-- @include run
local id, fence, name, seconds = unpack(ARGV, 1, 4)
if not holds(id, fence) then return 0 end
redis.call('HSET', run_key(id), 'awaits', name)
redis.call('SET', P .. 'awaits:' .. name, id, 'EX', seconds)
note(id, {unpack(ARGV, 5)})
return 1
