-- The lock of the environment that a run is about to change, or nothing; then it no longer is one
-- of those that a lock holds back.
-- @include keys
-- @include run
local id, fence, environment, place = unpack(ARGV)
if not holds(id, fence) then return 'lost' end
local lock = redis.call('GET', P .. 'locked:' .. environment)
if lock then return lock end
local index = P .. 'held:' .. environment
if redis.call('HGET', index, place) == id then redis.call('HDEL', index, place) end
return ''
