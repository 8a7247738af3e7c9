-- The schema of the ledger is what this version knows, or nothing is read or written. An empty ledger,
-- or one that has lost everything, has it from now on.
do
  local schema = redis.call('GET', KEYS[1])
  if not schema and redis.call('EXISTS', KEY.FORMER_RUNS, KEY.FORMER_CLOCK) == 0 then
    schema = MODEL.SCHEMA
    redis.call('SET', KEYS[1], schema)
  end
  if schema ~= MODEL.SCHEMA then
    return redis.error_reply('SCHEMA ' .. (schema or 'none') .. ' is that of this ledger, and this process knows ' ..
      MODEL.SCHEMA .. ': another version of Slipway is at it. Whoever operates Slipway stops this process.')
  end
end
