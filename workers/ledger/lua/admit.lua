-- The lock of the environment that a run is about to change, or nothing; then it no longer is one
-- of those that a lock holds back.
-- @include keys
-- @include run
-- @arguments id fence environment place
if not holds(id, fence) then return 'lost' end
local lock = redis.call('GET', KEY.LOCKED .. environment)
if lock then return lock end
local index = KEY.HELD .. environment
if redis.call('HGET', index, place) == id then redis.call('HDEL', index, place) end
return ''
