-- Take aliases for a run's gradual release, all or none: the answer is the run that has one of them
-- already, or nothing. A run that has ended has none.
-- @include keys
-- @include run
-- @include states
local id, fence = ARGV[1], ARGV[2]
if not holds(id, fence) then return 'lost' end
for i = 3, #ARGV do
  local holder = redis.call('HGET', P .. 'rollouts', ARGV[i])
  local state = holder and holder ~= id and redis.call('HGET', run_key(holder), 'state')
  if OPEN[state] then return holder end
end
for i = 3, #ARGV do redis.call('HSET', P .. 'rollouts', ARGV[i], id) end
return ''
