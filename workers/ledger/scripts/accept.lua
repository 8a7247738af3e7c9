-- One delivery: known already, the same order as before, or a new run that is due. All or nothing.
local id, delivery, order_key, order, stages, queue, branch, repository, pull_request,
  broker_queue, message, delivery_seconds, order_seconds, instead_of, sender, people = unpack(ARGV)
local at = now()
local delivery_key = P .. 'delivery:' .. delivery

local function add_people(run, logins)
  local known = cjson.decode(redis.call('HGET', run_key(run), 'people') or '[]')
  local seen, count = {}, #known
  for _, login in ipairs(known) do seen[login] = true end
  for _, login in ipairs(logins) do
    if not seen[login] then known[#known + 1] = login end
    seen[login] = true
  end
  if #known == count then return false end
  redis.call('HSET', run_key(run), 'people', cjson.encode(known))
  return true
end

if delivery ~= '' then
  local known = redis.call('GET', delivery_key)
  if known then return {0, known} end
end

local same = redis.call('GET', P .. 'order:' .. order_key)
if same and same ~= instead_of and redis.call('EXISTS', run_key(same)) == 1 then
  if delivery ~= '' then redis.call('SET', delivery_key, same, 'EX', delivery_seconds) end
  if pull_request ~= '' and redis.call('HSETNX', run_key(same), 'pull_request', pull_request) == 1 then
    changed(same, at)
  end
  -- The poll does not know who pushed; the delivery that comes late does.
  local known = cjson.decode(redis.call('HGET', run_key(same), 'order')).sender
  if sender ~= '' and type(known) ~= 'string' and
    redis.call('HSETNX', run_key(same), 'sender', sender) == 1 then
    changed(same, at)
  end
  -- A push and a merged pull request each know some of those whose change it is.
  if people ~= '' and add_people(same, cjson.decode(people)) then changed(same, at) end
  redis.call('HINCRBY', P .. 'metrics', 'deliveries_repeated', 1)
  return {0, same}
end

begin({id = id, order = order, order_key = order_key, order_seconds = order_seconds, stages = stages,
  delivery = delivery, delivery_seconds = delivery_seconds, queue = queue, branch = branch,
  repository = repository, pull_request = pull_request, broker_queue = broker_queue,
  message = message}, at)
return {1, id}
