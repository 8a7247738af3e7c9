-- Take aliases for a run's gradual release, all or none: the answer is the run that has one of them
-- already, or nothing. A run that has ended has none.
-- @include keys
-- @include run
-- @include states
-- @arguments id fence *places
if not holds(id, fence) then return 'lost' end
for _, place in ipairs(places) do
  local holder = redis.call('HGET', KEY.ROLLOUTS, place)
  local state = holder and holder ~= id and redis.call('HGET', run_key(holder), 'state')
  if OPEN[state] then return holder end
end
for _, place in ipairs(places) do redis.call('HSET', KEY.ROLLOUTS, place, id) end
return ''
