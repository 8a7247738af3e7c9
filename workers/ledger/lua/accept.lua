-- One delivery: known already, the same order as before, or a new run that is due. All or nothing.
-- @include begin
-- @include changed
-- @include clock
-- @include keys
-- @include run
-- @include told_head
-- @arguments id delivery order_key order stages queue branch repository pull_request broker_queue
-- @arguments message delivery_seconds order_seconds instead_of sender people teller head before
-- @arguments after forced
local at = now()
local delivery_key = KEY.DELIVERY .. delivery

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

if head ~= '' then told_head(head, branch, before, after, forced, false, at) end

-- Whether the branch was last known to be at another commit; the poll and every delivery tell.
local wanted_order = cjson.decode(order)
local deploys = wanted_order.purpose == 'deploy'
local moved = deploys and redis.call('HGET', KEY.TIPS, branch) ~= wanted_order.commit

-- The checks of a head, one for each environment of a base, and the open pull requests whose head it
-- is: what its two contexts show is the worst of those.
local pull = type(wanted_order.pull_request) == 'table' and wanted_order.pull_request
local target = pull and type(pull.environment) == 'string' and pull.environment or ''
local checked = pull and KEY.CHECKED .. string.match(order_key, '^%d+') .. ':' .. pull.head
if pull and instead_of == '' then
  local name = 'pull:' .. text(pull.number)
  if deploys or pull.closed == true then
    if redis.call('HDEL', checked, name) == 1 then
      local known = redis.call('HGETALL', checked)
      for i = 1, #known, 2 do
        local other = string.sub(known[i], 1, 4) == 'run:' and known[i + 1]
        if other and redis.call('EXISTS', run_key(other)) == 1 then changed(other, at) end
      end
    end
    if not deploys then return {0, ''} end
  else
    redis.call('HSET', checked, name, target)
    redis.call('EXPIRE', checked, order_seconds)
  end
end

-- What the repository made live last in the environment, if that is another commit; or a run that
-- is about to.
local function other_is_live()
  local key, from = KEY.RELEASED .. wanted_order.environment, 0
  for _, other in ipairs(redis.call('ZREVRANGE', branch, 0, 9)) do
    if unfinished(other) then return true end
  end
  while true do
    local rows = redis.call('LRANGE', key, from, from + 49)
    for _, row in ipairs(rows) do
      local live = cjson.decode(row)
      local source = type(live.source) == 'table' and live.source.repository_id
      if source == wanted_order.repository_id or live.repository == wanted_order.repository then
        return live.commit ~= wanted_order.commit
      end
    end
    if #rows < 50 then return true end
    from = from + 50
  end
end

-- Whether an order that has a run already asks for another one: its run has come to no verdict, or
-- its branch was reset to it. What tells of one push or of one head a second time does not.
local function again(same)
  local values = redis.call('HMGET', run_key(same), 'state', 'fault', 'told:' .. teller)
  local state, fault, told = values[1], values[2], values[3]
  if not ended(same) and (not cancelled(same) or wanted(same)) then return false end
  if state == 'succeeded' then
    return deploys and teller ~= 'merge' and moved and other_is_live()
  end
  if not deploys then return told or state ~= 'failed' or fault ~= 'user' end
  if teller == 'merge' then return false end
  return moved or (told and teller == 'push')
end

local same = redis.call('GET', KEY.ORDER .. order_key)
if same and redis.call('EXISTS', run_key(same)) == 0 then same = nil end
local repeats = false
if same then
  if instead_of ~= '' then repeats = same == instead_of else repeats = again(same) end
end
if deploys and instead_of == '' then
  redis.call('HSET', KEY.TIPS, branch, wanted_order.commit)
end

if same and not repeats then
  if delivery ~= '' then redis.call('SET', delivery_key, same, 'EX', delivery_seconds) end
  redis.call('HSET', run_key(same), 'told:' .. teller, '1')
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
  redis.call('HINCRBY', KEY.METRICS, 'deliveries_repeated', 1)
  return {0, same}
end

-- The merged head of a pull request is told of whatever takes the place of the merge's run.
local before = same and deploys and cjson.decode(redis.call('HGET', run_key(same), 'order'))
if before and pull_request == '' then
  pull_request = redis.call('HGET', run_key(same), 'pull_request')
  if not pull_request then
    pull_request = type(before.pull_request) == 'table' and cjson.encode(before.pull_request) or ''
  end
end
begin({id = id, order = order, order_key = order_key, order_seconds = order_seconds, stages = stages,
  delivery = delivery, delivery_seconds = delivery_seconds, queue = queue, branch = branch,
  repository = repository, pull_request = pull_request, broker_queue = broker_queue,
  message = message}, at)
redis.call('HSET', run_key(id), 'told:' .. teller, '1')
-- Whose change it is does not depend on who has it run again.
if before then
  if type(before.people) == 'table' then add_people(id, before.people) end
  add_people(id, cjson.decode(redis.call('HGET', run_key(same), 'people') or '[]'))
end
if pull and not deploys then
  redis.call('HSET', checked, 'run:' .. target, id)
  redis.call('EXPIRE', checked, order_seconds)
end
return {1, id}
