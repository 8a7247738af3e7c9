-- Give places to other owners for a run, all or none, if each still has the owner that it was found
-- with: 'changed', 'raced' where one has not, or 'lost' where the lease is no longer ours.
-- @include keys
-- @include run
local id, fence = ARGV[1], ARGV[2]
if not holds(id, fence) then return 'lost' end
local key = P .. 'owners'
for i = 3, #ARGV, 3 do
  if (redis.call('HGET', key, ARGV[i]) or '') ~= ARGV[i + 1] then return 'raced' end
end
for i = 3, #ARGV, 3 do redis.call('HSET', key, ARGV[i], ARGV[i + 2]) end
return 'changed'
