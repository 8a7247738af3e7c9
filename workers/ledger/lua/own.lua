-- Give places to other owners for a run, all or none, if each still has the owner that it was found
-- with: 'changed', 'raced' where one has not, or 'lost' where the lease is no longer ours.
-- @include keys
-- @include run
-- @arguments id fence *changes
if not holds(id, fence) then return 'lost' end
local key = KEY.OWNERS
for i = 1, #changes, 3 do
  if (redis.call('HGET', key, changes[i]) or '') ~= changes[i + 1] then return 'raced' end
end
for i = 1, #changes, 3 do redis.call('HSET', key, changes[i], changes[i + 2]) end
return 'changed'
