#include "columns.h"

// SDMX concept ids stand beside our own words where they mean the same.
static const column_def observation_columns[OBS_FIELD_COUNT] = {
    [OBS_INDICATOR] = {"indicator", "指标|指标名称|指标代码|indicator_code", NULL, true},
    [OBS_PLACE] = {"place", "地区|区域|地区代码|地区名称|place_code|REF_AREA", "--place", true},
    [OBS_PERIOD] = {"period", "时期|年份|时间|TIME_PERIOD", "--period", true},
    [OBS_VALUE] = {"value", "数值|值|OBS_VALUE", NULL, true},
    [OBS_UNIT] = {"unit", "单位|计量单位|UNIT_MEASURE", NULL, false},
    [OBS_UNIT_MULT] = {"unit_mult", "单位倍数", NULL, false},
    [OBS_QUALIFIER] = {"qualifier", "限定", NULL, false},
    [OBS_STATUS] = {"status", "状态|OBS_STATUS", NULL, false},
    [OBS_MEASURE] = {"measure", "口径", NULL, false},
    [OBS_ACCUMULATION] = {"accumulation", "累计|当期累计|当期/累计", NULL, false},
    [OBS_BREAKDOWN] = {"breakdown", "分组|breakdowns", NULL, false},
    [OBS_RELATION] = {"relation", "关系", NULL, false},
    [OBS_PUBLISHED] = {"published", "发布日期", "--published", false},
    [OBS_SOURCE] = {"source", "来源", "--source", false},
    [OBS_NOTE] = {"note", "备注|说明|OBS_COMMENT|COMMENT_OBS", NULL, false},
};

static const column_def indicator_columns[IND_FIELD_COUNT] = {
    [IND_CODE] = {"code", "代码|指标代码", NULL, true},
    [IND_NAME_ZH] = {"name_zh", "名称|中文名称|指标|指标名称", NULL, false},
    [IND_NAME_EN] = {"name_en", "英文名称", NULL, false},
    [IND_UNIT] = {"unit", "单位|计量单位", NULL, true},
    [IND_VALUE_TYPE] = {"value_type", "类型|数值类型", NULL, true},
    [IND_OVER_PLACES] = {"over_places", "地区汇总", NULL, false},
    [IND_OVER_TIME] = {"over_time", "时间汇总", NULL, false},
    [IND_DIRECTION] = {"direction", "方向", NULL, false},
    [IND_THEME] = {"theme", "主题", NULL, false},
    [IND_NUMERATOR] = {"numerator", "分子", NULL, false},
    [IND_DENOMINATOR] = {"denominator", "分母", NULL, false},
    [IND_FORMULA] = {"formula", "公式|计算公式", NULL, false},
    [IND_DEFINITION] = {"definition", "定义|指标解释", NULL, false},
    [IND_ALIASES] = {"aliases", "别名", NULL, false},
};

static const column_def place_columns[PLC_FIELD_COUNT] = {
    [PLC_CODE] = {"code", "代码|地区代码|行政区划代码", NULL, true},
    [PLC_NAME_ZH] = {"name_zh", "名称|中文名称|地区|地区名称", NULL, false},
    [PLC_NAME_EN] = {"name_en", "英文名称", NULL, false},
    [PLC_LEVEL] = {"level", "级别|层级", NULL, true},
    [PLC_PARENT] = {"parent", "上级|上级代码", NULL, false},
    [PLC_VALID_FROM] = {"valid_from", "启用日期", NULL, false},
    [PLC_VALID_TO] = {"valid_to", "停用日期", NULL, false},
    [PLC_SUCCESSORS] = {"successors", "后继", NULL, false},
    [PLC_ALIASES] = {"aliases", "别名", NULL, false},
};

static const column_def source_columns[SRC_FIELD_COUNT] = {
    [SRC_CODE] = {"code", "代码|来源代码", NULL, true},
    [SRC_TITLE] = {"title", "标题|名称", NULL, true},
    [SRC_PUBLISHER] = {"publisher", "发布机构|发布单位", NULL, false},
    [SRC_PUBLISHED] = {"published", "发布日期", NULL, false},
    [SRC_ADDRESS] = {"address", "网址|地址", NULL, false},
    [SRC_PRECEDENCE] = {"precedence", "优先级", NULL, false},
    [SRC_NOTE] = {"note", "备注|说明", NULL, false},
};

const column_set columns_of_observations = {"observations", observation_columns, OBS_FIELD_COUNT};
const column_set columns_of_indicators = {"indicators", indicator_columns, IND_FIELD_COUNT};
const column_set columns_of_places = {"places", place_columns, PLC_FIELD_COUNT};
const column_set columns_of_sources = {"sources", source_columns, SRC_FIELD_COUNT};
