-- The end of a run.
-- @include changed
-- @include clock
-- @include keys
-- @include move

-- End a run that is in the state `from`, with its verdict.
local function finish(id, from, at, state, fault, why)
  move(id, from, state, 'finished_at', text(at))
  if why ~= '' then redis.call('HSET', run_key(id), 'error', why) else redis.call('HDEL', run_key(id), 'error') end
  if fault ~= '' then redis.call('HSET', run_key(id), 'fault', fault) end
  -- A file of the repository's, which only its stages read: up to a megabyte of each run kept.
  redis.call('HDEL', run_key(id), 'pipeline')
  redis.call('ZREM', KEY.LEASES, id)
  redis.call('ZREM', KEY.DUE, id)
  redis.call('HINCRBY', KEY.METRICS, 'runs_' .. state, 1)
  changed(id, at)
end
