-- Let nobody have a turn within a budget for so many milliseconds; a longer pause stays.
-- @include keys
-- @arguments name milliseconds
local key = KEY.BUDGET .. name .. ':pause'
milliseconds = tonumber(milliseconds)
if redis.call('PTTL', key) < milliseconds then redis.call('SET', key, '1', 'PX', milliseconds) end
return 1
