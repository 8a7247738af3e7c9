-- Remember what an alias runs and by which commit, if the lease still is ours.
local id, fence, place, what = unpack(ARGV)
if not holds(id, fence) then return 0 end
redis.call('HSET', P .. 'live', place, what)
return 1
