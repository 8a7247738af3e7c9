-- The one way in which a run's state changes.
-- @include keys
-- @include states

-- Have a run go from one state to another, and write other fields of it in the same command. A new
-- run comes from ''. Any other move is refused, and changes nothing: call this before you write.
local function move(id, from, to, ...)
  local state = redis.call('HGET', run_key(id), 'state') or ''
  if state ~= from then
    error('run ' .. id .. ' is ' .. state .. ', so it does not go from ' .. from .. ' to ' .. to, 0)
  end
  if not MOVES[from .. '>' .. to] then
    error('run ' .. id .. ' may not go from ' .. from .. ' to ' .. to, 0)
  end
  redis.call('HSET', run_key(id), 'state', to, ...)
end
