-- Remember that a run published a version of a function, or found that Slipway had.
local id, fence, name, version = unpack(ARGV)
if not holds(id, fence) then return 0 end
redis.call('HSET', P .. 'published:' .. name, version, id)
return 1
