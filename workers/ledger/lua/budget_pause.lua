-- Let nobody have a turn within a budget for so many milliseconds; a longer pause stays.
-- @include keys
local key, milliseconds = P .. 'budget:' .. ARGV[1] .. ':pause', tonumber(ARGV[2])
if redis.call('PTTL', key) < milliseconds then redis.call('SET', key, '1', 'PX', milliseconds) end
return 1
