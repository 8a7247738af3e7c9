-- Add text to a run's log; the oldest goes when the log is over its size.
local id, fence, source, chunk, limit = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if redis.call('HGET', run_key(id), 'fence') ~= fence then return 0 end
local key = P .. 'log:' .. id
redis.call('XADD', key, '*', 's', source, 't', chunk)
local size = redis.call('HINCRBY', run_key(id), 'log_size', #chunk)
while size > limit do
  local oldest = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  if not oldest then break end
  redis.call('XDEL', key, oldest[1])
  redis.call('HINCRBY', run_key(id), 'log_cut', #oldest[2][4])
  size = redis.call('HINCRBY', run_key(id), 'log_size', -#oldest[2][4])
end
return 1
