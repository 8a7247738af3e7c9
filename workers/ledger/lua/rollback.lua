-- Take a rollback on and hold its environment, in one step: 'accepted' with the new run, 'under way'
-- with the run of the same rollback, or 'locked' with the lock of somebody who wants no change.
-- @include begin
-- @include clock
-- @include keys
-- @include run
-- @arguments id order_key order stages queue branch repository broker_queue message order_seconds
-- @arguments environment what targets releases
local at = now()
local key = KEY.LOCKED .. environment
local there = redis.call('GET', key)
local known = there and cjson.decode(there)
if known and known.kind ~= 'rollback' then return {'locked', there} end

local same = redis.call('GET', KEY.ORDER .. order_key)
if same and known and known.run == same then
  if not ended(same) then return {'under way', same} end
end

begin({id = id, order = order, order_key = order_key, order_seconds = order_seconds, stages = stages,
  delivery = '', queue = queue, branch = branch, repository = repository, pull_request = '',
  broker_queue = broker_queue, message = message}, at)
redis.call('HSET', run_key(id), 'targets', targets, 'releases', releases, 'lock_before', there or '')
local lock = cjson.decode(what)
lock.at = at
lock.run = id
redis.call('SET', key, cjson.encode(lock))
return {'accepted', id}
