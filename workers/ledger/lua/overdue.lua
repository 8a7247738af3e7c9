-- What should be going on and may not be: runs whose lease has expired or that have been due for
-- `grace` ms, and reports. Every queue has a share of `limit` runs, whatever waits on another; those
-- whose worker was lost, or that have something to finish or put back, have one of their own. The
-- `most` oldest due runs are looked at, and on a round as many of those behind them, in turn.
-- @include clock
-- @include keys
-- @arguments grace limit most round
grace, limit, most = tonumber(grace), tonumber(limit), tonumber(most)
local at = now()
local urgent, others = {ids = {}, queues = {}, taken = {}}, {ids = {}, queues = {}, taken = {}}

local function put(list, id, queue)
  local taken = list.taken[queue] or 0
  if taken >= limit then return end
  list.taken[queue] = taken + 1
  list.ids[#list.ids + 1] = id
  list.queues[#list.queues + 1] = queue
end

local function look(key, before, from, count, hurried)
  local ids = redis.call('ZRANGEBYSCORE', key, '-inf', text(before), 'LIMIT', from, count)
  for _, id in ipairs(ids) do
    local values = redis.call('HMGET', run_key(id), 'queue', 'unfinished', 'recorded')
    local hurries = hurried or values[2] == 'yes' or values[3] == 'yes'
    put(hurries and urgent or others, id, values[1] or 'build')
  end
  return #ids
end

look(KEY.LEASES, at, 0, most, true)
if look(KEY.DUE, at - grace, 0, most) == most and round == '1' then
  local from = tonumber(redis.call('GET', KEY.SWEEP_FROM) or most)
  local seen = look(KEY.DUE, at - grace, from, most)
  redis.call('SET', KEY.SWEEP_FROM, text(seen == most and from + most or most))
end
local reports = redis.call('ZRANGEBYSCORE', KEY.REPORTS, '-inf', text(at - grace), 'LIMIT', 0, limit)
return {urgent.ids, urgent.queues, others.ids, others.queues, reports}
